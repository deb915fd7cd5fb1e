/* The three networks as digitocr_weights.c holds them: tables of layers, which network.c walks. */
#ifndef DIGITOCR_WEIGHTS_H
#define DIGITOCR_WEIGHTS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef DIGITOCR_WEIGHTS_CHECK
#define DIGITOCR_WEIGHTS_CHECK 0 /* CRC-32 of all tables; `digitocr export` writes it here and into digitocr_weights.c */
#endif

#define DG_MAX_OUTPUTS 2

struct dg_layer;

struct dg_network {
    const struct dg_layer *layers;
    int32_t layer_count;
    int32_t channels;   /* of the input */
    float scale;        /* of the input: a byte stands for (byte - zero_point) * scale */
    int32_t zero_point;
    int32_t output_count;
    uint16_t outputs[DG_MAX_OUTPUTS]; /* layers that give them, in the order of the ONNX file */
};

extern const struct dg_network dg_classifier, dg_detector, dg_recognizer;
extern const uint32_t dg_weights_check;

#ifdef __cplusplus
}
#endif

#endif
