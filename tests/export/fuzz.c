/* The C library with pictures of any size, arenas of any size and place, and damaged options.
 *
 * An input is a header, see `take`, and the pixels. Whatever it holds, a function gives a reading or an error with a
 * name: no byte beside the memory is touched, nothing is written after an error, memory as large as `..._bytes` says is
 * enough, and the answer does not depend on what lay in the memory before, nor on how much there is beyond that size.
 *
 *     clang -std=c99 -O2 -g -ffp-contract=off -fsanitize=fuzzer,address,undefined fuzz.c digitocr.c digitocr_weights.c
 *     gcc -DSEED=1 ...    a program of its own, which makes as many inputs as its argument says
 */
#include "digitocr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PIXELS 65536   /* of a picture; DIGITOCR_MAX_SIDE by 1 is among them */
#define LARGE_PIXELS 8192   /* of a larger picture, which takes long to read, only the start is seen: its arena has */
#define LARGE_BYTES 65536   /* at most so many bytes */
#define ENSURE(what) ((void)((what) || (fprintf(stderr, "%s, line %d\n", #what, __LINE__), abort(), 0)))

struct given {
    const uint8_t *at;
    size_t left;
};

/* The next bytes of the input; 0 where there are no more. */
static void take(struct given *given, void *to, size_t bytes) {
    size_t count = bytes < given->left ? bytes : given->left;
    memset(to, 0, bytes);
    memcpy(to, given->at, count);
    given->at += count;
    given->left -= count;
}

static uint32_t hashed(uint32_t hash, const void *bytes, size_t count) {
    size_t at;
    for (at = 0; at < count; at++) hash = (hash ^ ((const unsigned char *)bytes)[at]) * 16777619u;
    return hash;
}

static int is_share(float value) { return value >= 0.0f && value <= 1.0f; }

/* All of a reading; it has to be within its ranges. */
static uint32_t reading_hash(const struct digitocr_reading *reading) {
    uint32_t hash = 2166136261u;
    int32_t n, k, next = 0;
    ENSURE(reading->number_count >= 0 && reading->digit_count >= 0 && reading->line_count >= 0);
    ENSURE((reading->why == DIGITOCR_WHY_READ) == (reading->number_count > 0));
    for (n = 0; n < reading->number_count; n++) {
        const struct digitocr_number *number = &reading->numbers[n];
        ENSURE(number->first_digit == next && number->digit_count > 0 && is_share(number->confidence));
        ENSURE(number->line >= 0 && number->line < reading->line_count);
        next += number->digit_count;
        hash = hashed(hash, number->text, strlen(number->text));
        hash = hashed(hash, &number->confidence, sizeof number->confidence);
    }
    ENSURE(next == reading->digit_count);
    for (n = 0; n < reading->digit_count; n++) {
        const struct digitocr_digit *digit = &reading->digits[n];
        ENSURE(digit->digit >= -1 && digit->digit <= 9 && digit->width > 0 && digit->height > 0);
        ENSURE(is_share(digit->confidence));
        for (k = 0; k < DIGITOCR_TOPK; k++) ENSURE(digit->likely[k] >= -1 && digit->likely[k] <= 9);
        hash = hashed(hash, digit, sizeof *digit);
    }
    return hash;
}

static int is_error(int error) { return error >= DIGITOCR_OK && error <= DIGITOCR_ERROR_WEIGHTS; }

/* As many bytes as are needed, a few less, or a share of them. */
static size_t arena_bytes(size_t needed, int kind, uint16_t share, const struct digitocr_picture *picture) {
    double few = (double)(needed < share % 64u + 1u ? needed : share % 64u + 1u);
    double bytes = kind & 1 ? (double)needed : kind & 8 ? (double)needed - few : (double)needed * share / 65535.0;
    int is_large = picture->width * picture->height > LARGE_PIXELS || picture->width > 256 || picture->height > 256;
    return is_large && bytes > LARGE_BYTES ? LARGE_BYTES : (size_t)bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct given given;
    struct digitocr_picture picture;
    struct digitocr_options options;
    struct digitocr_box box;
    struct digitocr_reading reading, untouched;
    float probabilities[DIGITOCR_MAX_CLASSES];
    uint32_t first = 0;
    uint16_t width, height, share;
    uint8_t shift, gap, turn, kind, fill;
    uint8_t *pixels, *memory, crop[DIGITOCR_SIDE * DIGITOCR_SIDE];
    size_t needed, bytes, needed_box, at, wanted;
    int error, again, is_enough;
    given.at = data;
    given.left = size;
    take(&given, &width, sizeof width);
    take(&given, &height, sizeof height);
    take(&given, &gap, sizeof gap);
    take(&given, &kind, sizeof kind);
    take(&given, &share, sizeof share);
    take(&given, &shift, sizeof shift);
    take(&given, &turn, sizeof turn);
    take(&given, &options.conf, sizeof options.conf);
    take(&given, &options.rotate, sizeof options.rotate);
    take(&given, &options.mode, sizeof options.mode);
    take(&given, &box, sizeof box);
    if (turn < 5) options.rotate = turn < 4 ? 90 * turn : DIGITOCR_ROTATE_AUTO; /* else any number */
    if (kind & 2) options.mode = (int32_t)((uint32_t)options.mode % 3u);
    if (kind & 4) options.conf = 0.5f;
    picture.width = width;
    picture.height = height;
    picture.stride = (ptrdiff_t)width + gap % 5;
    if (gap == 255) picture.stride = (ptrdiff_t)width - 1;
    needed = digitocr_read_bytes(width, height, &options);
    needed_box = digitocr_classify_box_bytes(width, height);
    if ((size_t)width * height > MOST_PIXELS) {
        picture.height = MOST_PIXELS / width;
        needed = digitocr_read_bytes(width, picture.height, &options);
        needed_box = digitocr_classify_box_bytes(width, picture.height);
    }
    wanted = picture.height ? (size_t)picture.stride * ((size_t)picture.height - 1) + width : 0;
    if (picture.stride < 0) wanted = 0;
    pixels = (uint8_t *)malloc(wanted ? wanted : 1);
    ENSURE(pixels);
    fill = given.left ? given.at[given.left - 1] : 0;
    for (at = 0; at < wanted; at++) pixels[at] = given.left ? given.at[at % given.left] : (uint8_t)(at * 7);
    picture.pixels = pixels;

    bytes = arena_bytes(needed, kind, share, &picture);
    is_enough = bytes >= needed && needed > 0;
    memset(&untouched, 0xA5, sizeof untouched);
    for (again = 0; again < 2; again++) {
        unsigned char *arena;
        if (again && kind & 16) bytes += 3 * needed; /* with more memory networks are computed in another order */
        arena = (unsigned char *)malloc(bytes + shift % 16 + 1);
        ENSURE(arena);
        memset(arena, again ? fill : 0xA5, bytes + shift % 16);
        reading = untouched;
        error = digitocr_read(&picture, &options, arena + shift % 16, bytes, &reading);
        ENSURE(is_error(error) && error != DIGITOCR_ERROR_WEIGHTS && error != DIGITOCR_ERROR_ARGUMENT);
        ENSURE(!is_enough || error == DIGITOCR_OK || error == DIGITOCR_ERROR_SIZE);
        ENSURE(needed || error);
        if (error) ENSURE(!memcmp(&reading, &untouched, sizeof reading));
        else if (again) ENSURE(reading_hash(&reading) == first);
        else first = reading_hash(&reading);
        free(arena);
        if (error) break;
    }

    bytes = arena_bytes(needed_box, kind, share, &picture);
    memory = (uint8_t *)malloc(bytes + shift % 16 + 1);
    ENSURE(memory);
    memset(memory, fill, bytes + shift % 16);
    error = digitocr_classify_box(&picture, &box, probabilities, memory + shift % 16, bytes);
    ENSURE(is_error(error));
    ENSURE(bytes < needed_box || !needed_box || error != DIGITOCR_ERROR_MEMORY);
    if (!error) {
        float sum = 0;
        for (at = 0; at < (size_t)digitocr_classes(); at++) ENSURE(is_share(probabilities[at])), sum += probabilities[at];
        ENSURE(sum > 0.999f && sum < 1.001f);
    }
    free(memory);

    bytes = arena_bytes(digitocr_classify_bytes(), kind, share, &picture);
    memory = (uint8_t *)malloc(bytes + shift % 16 + 1);
    ENSURE(memory);
    for (at = 0; at < sizeof crop; at++) crop[at] = wanted ? pixels[at % wanted] : 0;
    error = digitocr_classify(crop, probabilities, memory + shift % 16, bytes);
    ENSURE(is_error(error) && (bytes < digitocr_classify_bytes() || !error));
    free(memory);
    free(pixels);
    return 0;
}

#ifdef SEED
static uint32_t state = SEED;

static uint32_t drawn(uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(state >> 8) * below) >> 24);
}

/* Inputs of all kinds: half of them pictures with bars that look like strokes, in options that are right. */
int main(int count, char **arguments) {
    static uint8_t input[40 + 96 * 96];
    long left = count > 1 ? strtol(arguments[1], NULL, 10) : 100;
    for (; left > 0; left--) {
        uint16_t sides[2];
        size_t at, length = sizeof input;
        int n, is_drawn = drawn(2) != 0;
        sides[0] = (uint16_t)(drawn(8) ? drawn(96) : drawn(65536));
        sides[1] = (uint16_t)(drawn(8) ? drawn(96) : drawn(65536));
        for (at = 0; at < length; at++) input[at] = (uint8_t)drawn(256);
        memcpy(input, sides, sizeof sides);
        if (drawn(16)) input[4] = (uint8_t)drawn(5);
        if (is_drawn) {
            input[5] |= 7;
            input[9] = (uint8_t)drawn(5);
            memset(input + 38, (int)(128 + drawn(120)), length - 38);
            for (n = 0; n < 12 && sides[0]; n++) {
                size_t from = 38 + drawn((uint32_t)length - 38), step = drawn(2) ? sides[0] : 1, k;
                for (k = 0; k < 14 && from + k * step + 3 < length; k++) memset(input + from + k * step, (int)drawn(100), 3);
            }
        } else {
            length = drawn((uint32_t)length);
        }
        LLVMFuzzerTestOneInput(input, length);
    }
    return 0;
}
#endif
