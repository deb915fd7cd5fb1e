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

/* An output of a network, in the arena: (rows, columns, channels). The value of a channel at row y and column x is
 * data[(y * columns + x) * stride + channel]. */
struct dg_output {
    const void *data; /* uint8_t, or float where scale is 0 */
    int32_t rows, columns, channels;
    int32_t stride; /* values from one pixel to the next; more than channels where outputs lie side by side */
    float scale;    /* a byte stands for (byte - zero_point) * scale */
    int32_t zero_point;
};

/* Bytes of an arena that dg_run takes while it runs, and bytes that its outputs keep. */
DG_LOCAL size_t dg_run_bytes(const struct dg_network *network, int32_t rows, int32_t columns);
DG_LOCAL size_t dg_output_bytes(const struct dg_network *network, int32_t rows, int32_t columns);

/* Runs a network. Its input has `rows` x `columns` pixels of channels bytes, of which each stands for (byte - network->zero_point) * network->scale. The outputs lie in the arena; all else that was taken is released.
 *
 *   dg_classifier: 28 x 28 x 1 -> 1 output of 1 x 1 x classes, float
 *   dg_detector:   H x W x 3, multiples of 8 -> 2 outputs of H/4 x W/4: 1 channel (centres) and 4 channels (boxes)
 *   dg_recognizer: 32 x W x 2, W a multiple of 8 -> 1 output of 1 x W/4 x 36
 *
 * Returns DIGITOCR_OK or DIGITOCR_ERROR_MEMORY. */
DG_LOCAL int dg_run(const struct dg_network *network, int32_t rows, int32_t columns, const struct dg_source *source,
                    struct dg_arena *arena, struct dg_output *outputs);

/* The same by the kernels of that number, for tests: all of them give the same bits. They have a name if the processor
 * has what they need. */
DG_LOCAL int dg_run_by(int32_t kernels, const struct dg_network *network, int32_t rows, int32_t columns,
                       const struct dg_source *source, struct dg_arena *arena, struct dg_output *outputs);
DG_LOCAL int32_t dg_kernels_count(void);
DG_LOCAL const char *dg_kernels_name(int32_t number);

/* DIGITOCR_OK, or DIGITOCR_ERROR_WEIGHTS if digitocr_weights.c does not belong to this digitocr_weights.h. */
DG_LOCAL int dg_check_weights(void);

/* --- Own mathematics (math.c) ------------------------------------------------------------------------------------- */


/* --- Pictures (image.c) -------------------------------------------------------------------------------------------
 *
 * Functions that return int give DIGITOCR_OK or DIGITOCR_ERROR_MEMORY. What they take of the arena they release, but
 * for the pictures that they make. A picture that needs no change is given on as it is, without a copy. */

/* The picture reduced to a longer side of at most that many pixels (background.shrunk). */
DG_LOCAL int dg_shrunk(const struct digitocr_picture *picture, int32_t side, struct dg_arena *arena,
                       struct digitocr_picture *made);

/* The picture with an even background (background.evened). */
DG_LOCAL int dg_evened(const struct digitocr_picture *picture, struct dg_arena *arena, struct digitocr_picture *made);

/* The same over the picture itself; its pixels must be memory that can be written. */
DG_LOCAL int dg_even_in_place(const struct digitocr_picture *picture, struct dg_arena *arena);

/* What digits are cropped from (background.shadeless): evened, unless one of the boxes fills the picture. */
DG_LOCAL int dg_is_close_up(const struct digitocr_picture *picture, const struct digitocr_box *boxes, int32_t count);
DG_LOCAL int dg_shadeless(const struct digitocr_picture *picture, const struct digitocr_box *boxes, int32_t count,
                          struct dg_arena *arena, struct digitocr_picture *made);

/* The digit in a box in MNIST's form (preprocessing.images): 28x28, ink bright. */
DG_LOCAL int dg_crop(const struct digitocr_picture *picture, const struct digitocr_box *box, struct dg_arena *arena,
                     uint8_t *crop);

/* The same of a picture of 28x28 pixels (preprocessing.lone); and whether it shows nothing. */
DG_LOCAL void dg_lone(const struct digitocr_picture *picture, uint8_t *crop);
DG_LOCAL int dg_is_blank(const struct digitocr_picture *picture);

/* 28x28 levels in MNIST's form (preprocessing.normalised), over themselves. */
DG_LOCAL void dg_normalise(uint8_t *levels);

/* A picture of two levels that cannot be told apart in black and white (levels.unmasked). */
DG_LOCAL int dg_unmasked(const struct digitocr_picture *picture, struct dg_arena *arena, struct digitocr_picture *made);

/* Cosine and sine of whole degrees, 0 to 359, as orientation.py has them: multiples of 2^-40. */
DG_LOCAL void dg_cos_sin(int32_t degrees, double *cosine, double *sine);

/* The size of a picture that is rotated clockwise, and the picture (orientation.turned). */
DG_LOCAL void dg_turned_size(int32_t width, int32_t height, int32_t degrees, int32_t *turned_width,
                             int32_t *turned_height);
DG_LOCAL int dg_turn(const struct digitocr_picture *picture, int32_t degrees, struct dg_arena *arena,
                     struct digitocr_picture *made);

/* Bytes of an arena that these functions take at most for a picture of that size, with the pictures that they make. */
DG_LOCAL size_t dg_evened_bytes(int32_t width, int32_t height);
DG_LOCAL size_t dg_crop_bytes(int32_t width, int32_t height);
DG_LOCAL size_t dg_turn_bytes(int32_t width, int32_t height, int32_t degrees);

struct dg_place;

/* The strip of a line (strips.cut): place->width x DG_STRIP_HEIGHT bytes. */
DG_LOCAL int dg_cut(const struct digitocr_picture *picture, const struct dg_place *place, struct dg_arena *arena,
                    uint8_t *strip);

/* The probabilities of the classes in the columns of a line's strip: place->width / DG_COLUMN rows of DG_CLASS_COUNT. */
DG_LOCAL int dg_columns_of(const struct digitocr_picture *picture, const struct dg_place *place,
                           struct dg_arena *arena, float *columns);
DG_LOCAL size_t dg_columns_bytes(int32_t strip_width);

/* --- Finding digits (detection.c) --------------------------------------------------------------------------------- */

/* Boxes in which digits may be, and their scores, best first (Detector.detect); at most `capacity` of them.
 * thorough: whether a large picture in which nothing is found is seen at twice its size. */
DG_LOCAL int dg_detect(const struct digitocr_picture *picture, int thorough, int32_t capacity,
                       struct digitocr_box *boxes, float *scores, int32_t *count, struct dg_arena *arena);

/* Bytes of an arena that it takes at most for a picture of that size. */
DG_LOCAL size_t dg_detect_bytes(int32_t width, int32_t height);

/* --- Reading (reading.c) ------------------------------------------------------------------------------------------ */


#endif
