/* The three networks as digitocr_weights.c holds them: tables of layers, which network.c walks. */
#ifndef DIGITOCR_WEIGHTS_H
#define DIGITOCR_WEIGHTS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CRC-32 of all tables of digitocr_weights.c; `digitocr export` writes it here and there. */
#define DIGITOCR_WEIGHTS_CHECK 0x00000000u

/* The ONNX file of the classifier; `digitocr export` writes these too. */
#define DIGITOCR_CLASSIFIER_NAME ""
#define DIGITOCR_CLASSIFIER_SHA256 ""

#define DG_MAX_OUTPUTS 2 /* of a network */
#define DG_MAX_INPUTS 2  /* of a layer */
#define DG_MAX_LAYERS 48 /* of a network */
#define DG_BLOCK 16      /* channels of a convolution that are computed side by side */

enum dg_kind {
    DG_INPUT,        /* the network's input */
    DG_CONVOLUTION,  /* also a dense layer: its kernel is as large as its input */
    DG_DEPTHWISE,    /* a convolution of each channel on its own */
    DG_ADD,          /* of two layers, which have the same channels */
    DG_CONCATENATE,  /* the channels of one or two layers side by side, rows and columns repeated where `shift` is 1 */
    DG_MAXIMUM,      /* pooling */
    DG_AVERAGE       /* pooling */
};

/* A layer. Activations are bytes, (rows, columns, channels).
 *
 * The weights of a convolution are in blocks of DG_BLOCK channels: for each 4 inputs, 4 weights of each channel; the
 * inputs are ordered by kernel row, kernel column, channel, and filled up with zeros to a multiple of 4. Those of a
 * depthwise one are channels_out (filled up to a multiple of DG_BLOCK) for each place of the kernel. No weight is
 * over 64, so that two products of a weight and a byte fit into 16 bits.
 *
 * A channel's output is round((sum of weight * byte + bias) * scale) + zero, clamped to 0 ... 255. The bias has the
 * input's zero point in it, and what is beyond the border is `outside`. */
struct dg_layer {
    uint8_t kind;                   /* of enum dg_kind */
    uint8_t is_float;               /* the output is (sum + bias) * scale, float */
    uint8_t input_count;
    uint8_t inputs[DG_MAX_INPUTS];  /* earlier layers */
    uint8_t shift[DG_MAX_INPUTS];   /* of a concatenation: log2 of how often rows and columns are repeated */
    uint8_t kernel_rows, kernel_columns;
    uint8_t stride_rows, stride_columns;
    uint8_t dilation_rows, dilation_columns;
    uint8_t top, left, bottom, right; /* pixels beyond the border that the kernel reaches */
    uint8_t outside;                /* the byte that stands for 0 in the input */
    int32_t channels_in, channels_out;
    const int8_t *weights;
    const int32_t *bias;
    const float *scale;
    const int16_t *zero;            /* DG_BLOCK of them, the same for each block of channels */
    const uint8_t *maps[DG_MAX_INPUTS]; /* of a concatenation: what each byte becomes; NULL where it stays */
    float first, second, constant;  /* of an addition: fma(a, first, fma(b, second, constant)), then rounded.
                                     * Of an average: scale of the input, scale and zero point of the output */
};

/* A part of the channels of a layer that is an output of the network. */
struct dg_end {
    uint8_t layer;
    int32_t first_channel, channels;
    float scale; /* 0: the layer's values are float */
    int32_t zero_point;
};

struct dg_network {
    const struct dg_layer *layers; /* the first one is the input */
    int32_t layer_count;
    int32_t again_last, again_for; /* the layers up to the first of these can be computed again for the second one; 0: no */
    float scale; /* of the input: a byte stands for (byte - zero_point) * scale */
    int32_t zero_point;
    int32_t end_count;
    struct dg_end ends[DG_MAX_OUTPUTS]; /* in the order of the ONNX file's outputs */
};

extern const struct dg_network dg_classifier, dg_detector, dg_recognizer;
extern const uint32_t dg_weights_check;

#ifdef __cplusplus
}
#endif

#endif
