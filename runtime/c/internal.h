/* What the source files share. In the single digitocr.c of an export all of it is static. */
#ifndef DIGITOCR_INTERNAL_H
#define DIGITOCR_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "digitocr.h"
#include "digitocr_weights.h"

#if defined(__FAST_MATH__)
#error "-ffast-math and -Ofast change the answers; compile without"
#endif

#ifndef DG_LOCAL
#define DG_LOCAL /* digitocr.c of an export defines it as static */
#endif

/* --- Memory: one block of the caller's, taken from the front ---------------------------------------------------- */

#define DG_ALIGN 16 /* bytes; of each piece of memory */

struct dg_arena {
    unsigned char *at, *end;
};

/* The caller's memory as an arena. */
DG_LOCAL struct dg_arena dg_arena_of(void *memory, size_t bytes);

/* A piece of memory, aligned to DG_ALIGN; NULL if too little is left. To release it and all that was taken after it,
 * set arena->at back to what it was before. */
DG_LOCAL void *dg_take(struct dg_arena *arena, size_t bytes);

/* Bytes of an arena that a piece takes. The first piece of all can take DG_ALIGN more. */
#define DG_BYTES(bytes) (((size_t)(bytes) + (DG_ALIGN - 1)) / DG_ALIGN * DG_ALIGN)

/* --- Numbers ------------------------------------------------------------------------------------------------------ */

/* The nearest integer as a float; of two equally near ones the even one. For |value| below 2^22. */
DG_LOCAL float dg_rounded(float value);

/* The byte that stands for a value: round(value / scale) + zero_point, clamped. What ONNX's QuantizeLinear gives. */
DG_LOCAL uint8_t dg_quantised(float value, float scale, int32_t zero_point);

/* --- Networks (network.c) ----------------------------------------------------------------------------------------- */

/* Writes a row of the network's input: columns * channels bytes, channels of a pixel side by side. Rows are asked for
 * from the first to the last, each once, so that they can be prepared as they are needed. */
struct dg_source {
    void (*row)(void *context, int32_t row, uint8_t *to);
    void *context;
};

/* An output of a network, in the arena: (rows, columns, channels). */
struct dg_output {
    const void *data;   /* uint8_t, or float where scale is 0 */
    int32_t rows, columns, channels;
    float scale;        /* a byte stands for (byte - zero_point) * scale */
    int32_t zero_point;
};

/* Bytes of an arena that dg_run takes while it runs, and bytes that its outputs keep. */
DG_LOCAL size_t dg_run_bytes(const struct dg_network *network, int32_t rows, int32_t columns);
DG_LOCAL size_t dg_output_bytes(const struct dg_network *network, int32_t rows, int32_t columns);

/* Runs a network. Its input has `rows` x `columns` pixels of network->channels bytes, of which each stands for
 * (byte - network->zero_point) * network->scale. The outputs lie in the arena; all else that was taken is released.
 *
 *   dg_classifier: 28 x 28 x 1 -> 1 output of 1 x 1 x classes, float
 *   dg_detector:   H x W x 3, multiples of 8 -> 2 outputs of H/4 x W/4: 1 channel (centres) and 4 channels (boxes)
 *   dg_recognizer: 32 x W x 2, W a multiple of 8 -> 1 output of 1 x W/4 x 36
 *
 * Returns DIGITOCR_OK or DIGITOCR_ERROR_MEMORY. */
DG_LOCAL int dg_run(const struct dg_network *network, int32_t rows, int32_t columns, const struct dg_source *source,
                    struct dg_arena *arena, struct dg_output *outputs);

/* DIGITOCR_OK, or DIGITOCR_ERROR_WEIGHTS if digitocr_weights.c does not belong to this digitocr_weights.h. */
DG_LOCAL int dg_check_weights(void);

/* --- Own mathematics (math.c) ------------------------------------------------------------------------------------- */

/* The largest whole number that is not above it, and the least that is not below it. */
DG_LOCAL double dg_floor(double value);
DG_LOCAL double dg_ceil(double value);

/* The nearest whole number; of two equally near ones the even one. */
DG_LOCAL double dg_round(double value);

DG_LOCAL double dg_exp(double value); /* limited to that of 709; 0 below -708 */
DG_LOCAL double dg_log(double value); /* of a normal number above 0 */
DG_LOCAL double dg_atan2(double y, double x);
DG_LOCAL double dg_sin(double angle); /* of up to 1,000 radians */
DG_LOCAL double dg_cos(double angle);

/* Square roots, exact to the last bit; 0 for what is not above 0. Of less than the least normal number they are 0 on
 * machines without such an instruction. */
DG_LOCAL double dg_sqrt(double value);
DG_LOCAL float dg_sqrtf(float value);

/* --- Pictures (image.c) ------------------------------------------------------------------------------------------- */


/* --- Finding digits (detection.c) --------------------------------------------------------------------------------- */


/* --- Reading (reading.c) ------------------------------------------------------------------------------------------ */


#endif
