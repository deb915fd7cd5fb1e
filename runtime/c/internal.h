/* What the source files share. In the single digitocr.c of an export all of it is static. */
#ifndef DIGITOCR_INTERNAL_H
#define DIGITOCR_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "digitocr.h"
#include "digitocr_constants.h"
#include "digitocr_weights.h"

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)
#error "-ffast-math, -Ofast and -funsafe-math-optimizations change the answers; compile without"
#endif
#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ < 0 || __FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error "float is computed with more bits here, which changes the answers; on x86 of 32 bits add -msse2 -mfpmath=sse"
#endif
#if defined(__SIZEOF_INT__) && (__SIZEOF_INT__ < 4 || __SIZEOF_DOUBLE__ < 8)
#error "digitocr needs an int of 32 bits and a double of 64, which this processor's compiler, such as AVR's, has not"
#endif

/* A product and a sum must not become one operation, which rounds once. gcc keeps them apart with -std=c99. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && !defined(__STRICT_ANSI__)
#pragma GCC optimize("fp-contract=off")
#endif

#ifndef DG_LOCAL
#define DG_LOCAL /* digitocr.c of an export defines it as static */
#endif

/* Around functions that take little time, so that their code is small. gcc has no such thing that it recommends. */
#if defined(__clang__)
#define DG_BEGIN_SMALL _Pragma("clang attribute push(__attribute__((minsize)), apply_to = function)")
#define DG_END_SMALL _Pragma("clang attribute pop")
#else
#define DG_BEGIN_SMALL
#define DG_END_SMALL
#endif

/* Before a single function of that kind. */
#if defined(__GNUC__)
#define DG_SMALL __attribute__((cold))
#define DG_APART __attribute__((noinline)) /* where copies in its callers take much code */
#else
#define DG_SMALL
#define DG_APART
#endif

/* A statement for each number `n` below `count`. Of pieces of a fixed length gcc -O2 makes vector instructions; clang makes
 * better ones of a plain loop. */
#if defined(__GNUC__) && !defined(__clang__)
#define DG_EACH(n, count, statement)                              \
    do {                                                          \
        int32_t piece_, at_, n;                                   \
        for (piece_ = 0; piece_ + 16 <= (count); piece_ += 16)    \
            for (at_ = 0; at_ < 16; at_++) {                      \
                n = piece_ + at_;                                 \
                statement;                                        \
            }                                                     \
        for (n = piece_; n < (count); n++) statement;             \
    } while (0)
#else
#define DG_EACH(n, count, statement)                    \
    do {                                                \
        int32_t n;                                      \
        for (n = 0; n < (count); n++) statement;        \
    } while (0)
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
 * from the first to the last, so that they can be prepared as they are needed, and maybe all of them a second time. */
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

/* Bytes of an arena that dg_run takes while it runs, at least, and bytes that its outputs keep. With more it is faster. */
DG_LOCAL size_t dg_run_bytes(const struct dg_network *network, int32_t rows, int32_t columns);
DG_LOCAL size_t dg_output_bytes(const struct dg_network *network, int32_t rows, int32_t columns);

/* Runs a network. Its input has `rows` x `columns` pixels of channels bytes, of which each stands for (byte - network->zero_point) * network->scale. The outputs lie in the arena; all else that was taken is released.
 *
 *   dg_classifier: 28 x 28 x 1 -> 1 output of 1 x 1 x classes, float
 *   dg_detector:   H x W x 3, multiples of 8 -> 2 outputs of H/4 x W/4: 1 channel (centres) and 4 channels (boxes)
 *   dg_recognizer: W x 32 x 2, W a multiple of 8 -> 1 output of W/4 x 1 x 36; it is turned, so that a row of it is a
 *                  column of the strip
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

/* --- Pictures (image.c) -------------------------------------------------------------------------------------------
 *
 * Functions that return int give DIGITOCR_OK or DIGITOCR_ERROR_MEMORY. What they take of the arena they release, but
 * for the pictures that they make. A picture that needs no change is given on as it is, without a copy. */

/* A size whose longer side is that many pixels (background.fitted). */
DG_LOCAL void dg_fitted(int32_t width, int32_t height, int32_t side, int32_t *fitted_width, int32_t *fitted_height);

/* A picture whose pixels are made when they are read: in a frame of one level, with an even background. So the picture
 * that is seen takes no memory of its own. */
struct dg_view {
    struct digitocr_picture picture;
    int32_t border, level; /* pixels around the picture, and their level */
    int32_t halvings;      /* how often the picture is halved within its border */
    int32_t width, height; /* of all of it */
    struct digitocr_picture background; /* which is taken off; no pixels: the picture is seen as it is */
};
DG_LOCAL struct dg_view dg_view_of(const struct digitocr_picture *picture, int32_t border, int32_t level);

/* The view reduced to a longer side of at most that many pixels (background.shrunk). */
DG_LOCAL int dg_shrunk(const struct dg_view *view, int32_t side, struct dg_arena *arena, struct dg_view *made);

/* The view with an even background (background.evened); the background stays in the arena. */
DG_LOCAL int dg_find_background(const struct dg_view *view, struct dg_arena *arena, struct dg_view *made);

/* A picture with an even background, written over itself; its pixels are these. */
DG_LOCAL int dg_even_in_place(const struct digitocr_picture *picture, uint8_t *pixels, struct dg_arena *arena);

/* What digits are cropped from (background.shadeless): evened, unless one of the boxes fills the picture. */
DG_LOCAL int dg_is_close_up(int32_t width, int32_t height, const struct digitocr_box *boxes, int32_t count);
DG_LOCAL int dg_shadeless(const struct dg_view *view, const struct digitocr_box *boxes, int32_t count,
                          struct dg_arena *arena, struct dg_view *made);

/* The digit in a box in MNIST's form (preprocessing.images): 28x28, ink bright. */
DG_LOCAL int dg_crop(const struct dg_view *view, const struct digitocr_box *box, struct dg_arena *arena, uint8_t *crop);

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
DG_LOCAL size_t dg_shrunk_bytes(int32_t width, int32_t height, int32_t side);
DG_LOCAL size_t dg_background_bytes(int32_t width);
DG_LOCAL size_t dg_even_in_place_bytes(int32_t width);
DG_LOCAL size_t dg_crop_bytes(int32_t width);
DG_LOCAL size_t dg_turn_bytes(int32_t width, int32_t height, int32_t degrees);

/* The value at a place of an output. */
DG_LOCAL float dg_value(const struct dg_output *output, ptrdiff_t place);

struct dg_place;

/* Where the pixels of a new picture show a picture that is halved so often: pixel (u, v) shows
 * (xu u + xv v + x, yu u + yv v + y). */
struct dg_warp {
    const struct digitocr_picture *picture;
    int32_t halvings, width, height; /* the sides of the halved picture */
    double xu, xv, x, yu, yv, y;
    int32_t beyond; /* the level beyond the picture; -1: its edge pixels are repeated */
};

/* The strip of a line (strips.cut), of place->width x DG_STRIP_HEIGHT pixels, which is cut column by column. */
struct dg_cut {
    struct dg_warp warp;
    int32_t factor; /* pixels of the warp for one of the strip, in a row and in a column: 1 or 2 */
};
DG_LOCAL void dg_begin_cut(struct dg_cut *cut, const struct digitocr_picture *picture, const struct dg_place *place);

/* Every `step`-th pixel of a column, from the first one on. */
DG_LOCAL void dg_cut_column(const struct dg_cut *cut, int32_t column, int32_t step, uint8_t *to);

/* The recognizer's output for the strip of a line; it stays in the arena. */
DG_LOCAL int dg_look(const struct digitocr_picture *picture, const struct dg_place *place, struct dg_arena *arena,
                     struct dg_output *logits);
DG_LOCAL size_t dg_look_bytes(int32_t strip_width);

/* The probabilities of the classes in a column of it: DG_CLASS_COUNT. */
DG_LOCAL void dg_column_of(const struct dg_output *logits, int32_t column, float *probabilities);

/* Reads rows of a view one after the other, of `count` columns from `left` on. */
struct dg_linear {
    struct digitocr_picture picture;
    int32_t left, count;
    double across, down; /* old pixels for a new one */
    int32_t rows[2];     /* that were used last */
    uint16_t *lines[2];
};
struct dg_rows {
    const struct dg_view *view;
    int32_t left, count;
    struct dg_linear background;
};
DG_LOCAL int dg_begin_rows(struct dg_rows *rows, const struct dg_view *view, int32_t left, int32_t count,
                           struct dg_arena *arena);
DG_LOCAL size_t dg_rows_bytes(int32_t count);

/* A row: the picture's own pixels, or pixels that are made in the buffer. */
DG_LOCAL const uint8_t *dg_view_row(struct dg_rows *rows, int32_t row, uint8_t *buffer);

/* Whether a view shows the picture's own pixels. */
DG_LOCAL int dg_is_plain(const struct dg_view *view);

/* --- Finding digits (detection.c) --------------------------------------------------------------------------------- */

/* Boxes in which digits may be, and their scores, best first (Detector.detect); at most `capacity` of them.
 * thorough: whether a large picture in which nothing is found is seen at twice its size. */
DG_LOCAL int dg_detect(const struct dg_view *view, int thorough, int32_t capacity,
                       struct digitocr_box *boxes, float *scores, int32_t *count, struct dg_arena *arena);

/* Bytes of an arena that it takes at most for a picture of that size. */
DG_LOCAL size_t dg_detect_bytes(int32_t width, int32_t height, int32_t capacity);

/* --- Reading (reading.c) ------------------------------------------------------------------------------------------
 *
 * Boxes are in pixels of the picture as it was rotated. `rows` are numbers of boxes. Functions that return int give
 * DIGITOCR_OK or DIGITOCR_ERROR_MEMORY; what they take of the arena they release, but for the results. */

/* The classifier's probabilities of a digit of 28x28 pixels in MNIST's form (classify.c). */
DG_LOCAL int dg_probabilities_of(const uint8_t *crop, struct dg_arena *arena, float *probabilities);

/* Arrays in the arena; NULL where it is too small. */
DG_LOCAL void *dg_take_array(struct dg_arena *arena, int32_t count, size_t size);

/* The sum of every `stride`-th value, in NumPy's order. */
DG_LOCAL float dg_float_sum(const float *values, int32_t count, int32_t stride);

/* The place of the largest value; of equal ones the first. */
DG_LOCAL int32_t dg_argmax(const float *values, int32_t count);

/* The places of the keys from the least to the largest; of equal ones in their order. */
DG_LOCAL void dg_argsort(const double *keys, int32_t count, int32_t *order);

/* The sum of the probabilities of the ten digits. */
DG_LOCAL float dg_digits_share(const float *probabilities);

/* Probabilities of `count` logits, at most DG_CLASS_COUNT. */
DG_LOCAL void dg_softmax(const float *logits, int32_t count, float *probabilities);

/* The best of the scores of each box's neighbours on its line; 0 where it has none. */
DG_LOCAL int dg_best_neighbours(const struct digitocr_box *boxes, const float *scores, int32_t count,
                                struct dg_arena *arena, float *best);

/* The confidences by detector and classifier, of probabilities of `classes` each. */
DG_LOCAL int dg_candidate_confidences(const struct digitocr_box *boxes, const float *scores, const float *probabilities,
                                      int32_t classes, int32_t count, struct dg_arena *arena, float *confidences);

/* The confidence in a picture of one digit, from the network's probability of that digit. */
DG_LOCAL double dg_lone_confidence(double probability);

/* The probabilities of ten digits by classifier and recognizer together. */
DG_LOCAL void dg_combined(const float *classifier, const float *lined, float *digits);

/* The confidences in a character: that it is read right, and that any digit stands there.
 * candidate: by detector and classifier. digits: of dg_combined. beside: the shares of other writing and of digits.
 * elsewhere: of dg_elsewhere. height: of the box, as a share of the picture's. */
DG_LOCAL void dg_character_confidences(float candidate, int is_found, const float *classifier, const float *lined,
                                       const float *digits, const float *beside, const float *elsewhere, float height,
                                       float *right, float *place);

/* The slope of the lines that some boxes stand in, radians; 0 where there is no common one. */
DG_LOCAL int dg_slope(const struct digitocr_box *boxes, const int32_t *rows, int32_t count, struct dg_arena *arena,
                      double *angle);

/* Boxes in lines: those of line n are rows[starts[n]] up to rows[starts[n + 1]]. */
struct dg_lines {
    int32_t count;
    int32_t *starts, *rows;
};

/* Memory for lines of that many boxes. */
DG_LOCAL int dg_take_lines(struct dg_lines *lines, int32_t capacity, struct dg_arena *arena);

/* Puts some boxes in lines, from top to bottom, each from left to right. */
DG_LOCAL int dg_reading_order(const struct digitocr_box *boxes, const int32_t *rows, int32_t count,
                              struct dg_arena *arena, struct dg_lines *lines);

/* Puts more of the boxes into the lines, one after the other, which keep their own boxes. */
DG_LOCAL int dg_join(struct dg_lines *lines, const struct digitocr_box *boxes, int32_t box_count, const int32_t *rows,
                     int32_t count, struct dg_arena *arena);

/* Where a line stands in the picture: x and y are the middle of its strip's left border, scale the pixels of the
 * picture for one of the strip, width that of the strip. Its boxes are `count` rows of dg_places from `first` on. */
struct dg_place {
    double x, y, cosine, sine, scale;
    int32_t width;
    int32_t first, count;
};

struct dg_places {
    int32_t count;
    struct dg_place *places;
    int32_t *rows;
};

/* The lines that some boxes stand in, each of them in one. The places are left in the arena. */
DG_LOCAL int dg_find_places(const struct digitocr_box *boxes, const int32_t *rows, int32_t count,
                            struct dg_arena *arena, struct dg_places *places);

/* A point of a strip in the picture. */
DG_LOCAL void dg_to_picture(const struct dg_place *place, double u, double v, double *x, double *y);

/* The likeliest kind of a place of a line, DG_KIND_..., by the probabilities of the classes. */
DG_LOCAL int32_t dg_kind(const float *probabilities);

/* A character or a run of other writing in a line: columns from `left` up to `right`. */
struct dg_segment {
    int16_t left, right;
    int32_t kind; /* DG_KIND_... but that of a gap */
    float share;  /* the probability of that kind */
};

/* The segments of a line of (count, DG_CLASS_COUNT) probabilities; only counts where `segments` is NULL. */
DG_LOCAL int32_t dg_find_segments(const float *columns, int32_t count, struct dg_segment *segments);

/* A character: a digit, DG_DOUBT, one of ".,-+:/", or DG_OTHER_TEXT for other writing. */
struct dg_character {
    double x, y, width, height;
    double confidence;
    int32_t row; /* of the candidate; -1 for signs and other writing */
    char text;
};

/* The candidates, and what the recognizer sees in their lines. The first `found` are the detector's, the others only
 * the recognizer has found. What is more than the capacity is left out. */
struct dg_recognition {
    int32_t found, count, capacity;
    struct digitocr_box *boxes;
    float *lined;           /* DG_CLASS_COUNT probabilities for each */
    float *beside;          /* 2 for each: the shares of other writing and of digits right beside it */
    unsigned char *is_seen; /* whether a line has been read that it stands on */
    struct dg_character *others;
    int32_t other_count, other_capacity;
    double digits_shown, others_shown; /* how many digits and how many other characters the lines show */
};

/* Memory for it. What begins with `lined` is needed only until all confidences are known. */
DG_LOCAL int dg_take_recognition(struct dg_recognition *found, int32_t capacity, int32_t other_capacity,
                                 struct dg_arena *arena);

/* How many digits and how many other characters the lines show besides a candidate: 2 numbers. */
DG_LOCAL void dg_elsewhere(const struct dg_recognition *found, int32_t row, float *elsewhere);

/* Begins with the detector's candidates, of which nothing is seen yet. */
DG_LOCAL void dg_begin_recognition(struct dg_recognition *found, const struct digitocr_box *boxes, int32_t count);

/* Whether all boxes of a line stand on lines that have been read. rows: of the place. */
DG_LOCAL int dg_is_read_already(const struct dg_recognition *found, const struct dg_place *place, const int32_t *rows);

/* The place of a line by those of its boxes alone in whose middle it shows a clear digit, of `count` columns; not set
 * where all or none are. *is_off: whether it moves or scales the digits. seeds: all boxes that lines were found in. */
DG_LOCAL int dg_fit_place(const struct digitocr_box *boxes, const int32_t *seeds, int32_t seed_count,
                          const struct dg_place *place, const int32_t *rows, const float *columns, int32_t count,
                          struct dg_arena *arena, struct dg_place *fitted, int *is_off);

/* The same line, DG_STRIPS_CLOSER times as large in its strip, which has `longest` pixels at most. */
DG_LOCAL struct dg_place dg_closer(const struct dg_place *place, int32_t longest);

/* Whether (count, DG_CLASS_COUNT) probabilities of a line's columns leave open what stands there. */
DG_LOCAL int dg_is_doubtful(const float *columns, int32_t count, struct dg_arena *arena, int *is_doubtful);

/* The column of a closer look, which has `closer_count`, that shows what a column does. */
DG_LOCAL int32_t dg_closer_column(int32_t column, int32_t closer_count);

/* The means of the probabilities of a column and those of a closer look, in place of the first. */
DG_LOCAL void dg_take_means(float *probabilities, const float *closer);

/* Adds what a line shows, by (count, DG_CLASS_COUNT) probabilities of its columns. rows: of the place. */
DG_LOCAL int dg_read_strip(struct dg_recognition *found, const struct dg_place *place, const int32_t *rows,
                           const float *columns, int32_t count, struct dg_arena *arena);

/* Drops candidates that only the recognizer has found and that lie on surer ones of these. */
DG_LOCAL int dg_keep_distinct(struct dg_recognition *found, struct dg_arena *arena);

/* A number: its text ends with 0, its digits are `count` of the groups' places from `first` on. */
struct dg_group {
    const char *text;
    int32_t first, count;
    double confidence;
};

/* Memory of the caller for n characters: n groups, n places, and 2 n texts. */
struct dg_groups {
    int32_t count;
    struct dg_group *groups;
    int32_t *places; /* numbers of characters that are digits or DG_DOUBT, from left to right */
    char *texts;
};

/* The numbers of a line of characters, from left to right. */
DG_LOCAL int dg_group(const struct dg_character *characters, int32_t count, struct dg_arena *arena,
                      struct dg_groups *groups);

/* Sets the confidences of the digits of a wheel that stands between two digits to 0; whether there is one. */
DG_LOCAL int dg_without_cut_wheel(const struct digitocr_box *boxes, float *confidence, int32_t count, int32_t height);

/* The candidates that are kept, in lines, in reading order. places: the confidences that a digit stands there.
 * mode: of enum digitocr_mode. lines: with memory for all boxes. */
DG_LOCAL int dg_find_kept(const struct digitocr_box *boxes, const float *confidence, const float *places, int32_t count,
                          float conf, int32_t mode, struct dg_arena *arena, struct dg_lines *lines);

/* The digits of a line, and the signs and words on it, from left to right; they are left in the arena.
 * digits: probabilities, of which those of a candidate begin `stride` after those of the one before.
 * told: the confidence from which on a digit is told. */
DG_LOCAL int dg_line_characters(const struct dg_recognition *found, const float *digits, int32_t stride,
                                const float *confidence, const int32_t *rows, int32_t count, float told,
                                struct dg_arena *arena, struct dg_character **characters, int32_t *character_count);

/* How well a picture reads at a rotation. */
struct dg_scores {
    int32_t read;    /* digits with a confidence of 0.5 or more; the others are of these */
    double reading;  /* sum of what the confidences are above 0.5 */
    double upright;  /* the same without zeros, which look the same on their side */
    double mean;     /* of the confidences; 0 for none */
};

DG_LOCAL int dg_reading_scores(const float *probabilities, int32_t stride, const float *confidence, int32_t count,
                               struct dg_arena *arena, struct dg_scores *scores);

/* The boxes of a picture that was rotated clockwise from a size to another, in the picture as it was. */
DG_LOCAL void dg_turned_back(const struct digitocr_box *boxes, int32_t count, int32_t width, int32_t height,
                             int32_t turned_width, int32_t turned_height, int32_t degrees, struct digitocr_box *back);

#endif
