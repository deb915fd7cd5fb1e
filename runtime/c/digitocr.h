/* digitocr: reads numbers in grey pictures. One C99 library: no heap, no files, no threads, nothing to start or close.
 *
 *     struct digitocr_picture picture = {pixels, width, height, width};
 *     struct digitocr_options options = digitocr_defaults();
 *     size_t bytes = digitocr_read_bytes(width, height, &options);
 *     void *arena = malloc(bytes);                          // or a static array
 *     struct digitocr_reading reading;
 *     int error = digitocr_read(&picture, &options, arena, bytes, &reading);
 *     for (int32_t n = 0; !error && n < reading.number_count; n++) puts(reading.numbers[n].text);
 *
 * Three levels, each usable without the others: classify a digit of 28x28 pixels; cut digits out of a picture and
 * classify them; read a picture. A function that needs memory has one that says how much (`..._bytes`); the caller
 * gives it, and the library keeps nothing between two calls. Any number of threads may call at once, each with its own
 * memory.
 */
#ifndef DIGITOCR_H
#define DIGITOCR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DIGITOCR_SIDE 28          /* pixels; of a digit that the network reads */
#define DIGITOCR_MAX_CLASSES 11   /* ten digits and "no digit" */
#define DIGITOCR_MAX_SIDE 65535   /* pixels; the longest side of a picture */
#define DIGITOCR_TOPK 3           /* likeliest digits of each place */

/* What the functions return. Nothing is written to the caller's results after an error. */
enum digitocr_error {
    DIGITOCR_OK = 0,
    DIGITOCR_ERROR_ARGUMENT = 1, /* a pointer is NULL, or a box has no area or a side that is not a number */
    DIGITOCR_ERROR_SIZE = 2,     /* a side of the picture is 0, negative or over DIGITOCR_MAX_SIDE, or its stride is short */
    DIGITOCR_ERROR_MEMORY = 3,   /* the arena is smaller than the function's `..._bytes` says */
    DIGITOCR_ERROR_OPTIONS = 4,  /* an option is out of its range */
    DIGITOCR_ERROR_WEIGHTS = 5   /* digitocr_weights.c was written by another export than digitocr.c */
};

/* The name of an error, as "DIGITOCR_ERROR_MEMORY". */
const char *digitocr_error_name(int error);

/* A grey picture, 0 black to 255 white. */
struct digitocr_picture {
    const uint8_t *pixels;
    int32_t width, height; /* pixels */
    ptrdiff_t stride;      /* bytes from one row to the next, at least width */
};

/* --- One digit ------------------------------------------------------------------------------------------------- */

/* The number of classes: 10, or 11 where the last one is "no digit". */
int32_t digitocr_classes(void);

/* Bytes of memory that digitocr_classify needs. */
size_t digitocr_classify_bytes(void);

/* The logits of a digit. `pixels` are 28x28, row by row, ink bright on dark as MNIST has it; `logits` has
 * digitocr_classes() values. The largest one is the answer. */
int digitocr_classify(const uint8_t *pixels, float *logits, void *arena, size_t arena_bytes);

/* --- Boxes ------------------------------------------------------------------------------------------------------ */

/* Left and upper border and sides, in pixels of the picture. */
struct digitocr_box {
    float x, y, width, height;
};

/* Bytes of memory that digitocr_classify_box needs for a picture of that size. */
size_t digitocr_classify_box_bytes(int32_t width, int32_t height);

/* The probabilities of the classes for the digit in a box, dark on bright or bright on dark. `probabilities` has
 * digitocr_classes() values, which sum to 1. */
int digitocr_classify_box(const struct digitocr_picture *picture, const struct digitocr_box *box, float *probabilities,
                          void *arena, size_t arena_bytes);

/* --- Pictures --------------------------------------------------------------------------------------------------- */

enum digitocr_mode {
    DIGITOCR_MODE_AUTO = 0,  /* lines, wherever they are */
    DIGITOCR_MODE_LINE = 1,  /* the picture is one line of digits */
    DIGITOCR_MODE_SINGLE = 2 /* the picture is one digit */
};

#define DIGITOCR_ROTATE_AUTO (-1) /* other rotations are tried, and the one that reads best is taken */

struct digitocr_options {
    float conf;     /* 0 to 1: less certain digits are left out, or are places of doubt */
    int32_t rotate; /* degrees clockwise before the picture is read: 0, 90, 180, 270 or DIGITOCR_ROTATE_AUTO */
    int32_t mode;   /* of enum digitocr_mode */
};

/* What `digitocr predict` takes by default. */
struct digitocr_options digitocr_defaults(void);

struct digitocr_digit {
    int32_t digit;                        /* 0 to 9; -1 where a digit stands that cannot be told */
    float confidence;                     /* share of readings like this one that are right, 0 to 1 */
    int32_t x, y, width, height;          /* the box, pixels of the picture as given; it may reach beyond */
    int32_t likely[DIGITOCR_TOPK];        /* the likeliest digits, best first; -1 where there are fewer */
    float probability[DIGITOCR_TOPK];     /* the network's probability of each */
};

struct digitocr_number {
    const char *text;    /* as it is written, with its signs; "?" for a digit that cannot be told; ends with 0 */
    float confidence;    /* 0 to 1; 0 where a digit cannot be told */
    int32_t line;        /* 0 for the first line; numbers of one line follow each other */
    int32_t first_digit; /* of the reading's digits */
    int32_t digit_count; /* at least 1 */
};

/* Why nothing was read. */
enum digitocr_why {
    DIGITOCR_WHY_READ = 0,         /* something was */
    DIGITOCR_WHY_NOTHING_FOUND = 1, /* nothing in it looks like a digit */
    DIGITOCR_WHY_NO_CHARACTERS = 2, /* the lines of the regions show no characters */
    DIGITOCR_WHY_NO_DIGITS = 3,     /* the lines of the regions show letters or signs */
    DIGITOCR_WHY_UNSURE = 4         /* no region has the confidence of the options */
};

/* All pointers point into the arena. */
struct digitocr_reading {
    const struct digitocr_number *numbers;
    int32_t number_count;
    const struct digitocr_digit *digits; /* in reading order */
    int32_t digit_count;
    int32_t line_count;
    int32_t rotated; /* degrees clockwise by which the picture was rotated to read it */
    int32_t why;     /* of enum digitocr_why; where nothing was read, also: */
    int32_t regions; /* that were found */
    int32_t likeliest;  /* digit of the most confident region */
    float confidence;   /* of that region */
};

/* Bytes of memory that digitocr_read needs for a picture of that size; 0 if the size or an option is out of range. With more
 * it may be faster, and its answers are the same. DIGITOCR_ROTATE_AUTO takes two to three times as much as a fixed
 * rotation, of strips of many pixels up to twenty times: the picture turned, with its lines level, is held too. */
size_t digitocr_read_bytes(int32_t width, int32_t height, const struct digitocr_options *options);

/* Reads a picture. The reading lies in the arena, and holds until the arena is used again. */
int digitocr_read(const struct digitocr_picture *picture, const struct digitocr_options *options, void *arena,
                  size_t arena_bytes, struct digitocr_reading *reading);

#ifdef __cplusplus
}
#endif

#endif
