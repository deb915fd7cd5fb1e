/* Tests of digitocr on the machine where it runs: its answers are those of the export, to the last bit.
 *
 *     ./selftest                                reads stored digits and noise with all kernels that the processor has,
 *                                               and stored pictures
 *     ./selftest run NETWORK ROWS COLUMNS       inputs from stdin to outputs on stdout, as bytes or float32; NETWORK is
 *                                               classifier, detector or recognizer
 *
 * With -DDIGITOCR_SELFTEST_SMALL only the classifier is tested, which takes 20 KB of memory.
 */
#ifndef ARDUINO
#define DIGITOCR_ALL_KERNELS /* plain C too, which a program has only where there is nothing faster */
#include "digitocr.c"

#include "digitocr_golden.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef DIGITOCR_SELFTEST_SMALL
#define ARENA_BYTES 24000
#else
#define ARENA_BYTES 700000 /* what a picture of 128x96 pixels needs, with any kernels */
#endif

static unsigned char arena[ARENA_BYTES];

/* FNV-1a, 32 bits. */
static uint32_t hashed(uint32_t hash, const unsigned char *bytes, size_t count) {
    size_t at;
    for (at = 0; at < count; at++) hash = (hash ^ bytes[at]) * 16777619u;
    return hash;
}

struct noise {
    uint32_t state;
    size_t bytes; /* of a row */
};

static void noise_row(void *context, int32_t row, uint8_t *to) {
    struct noise *noise = (struct noise *)context;
    size_t at;
    if (!row) noise->state = 1;
    for (at = 0; at < noise->bytes; at++) {
        noise->state = noise->state * 1664525u + 1013904223u;
        to[at] = (uint8_t)(noise->state >> 24);
    }
}

static void digit_row(void *context, int32_t row, uint8_t *to) {
    memcpy(to, (const uint8_t *)context + (size_t)row * DIGITOCR_SIDE, DIGITOCR_SIDE);
}

static uint32_t hash_of(uint32_t hash, const struct dg_output *output) {
    size_t size = output->scale == 0 ? sizeof(float) : 1;
    int32_t pixel;
    for (pixel = 0; pixel < output->rows * output->columns; pixel++)
        hash = hashed(hash, (const unsigned char *)output->data + size * (size_t)(pixel * output->stride),
                      size * (size_t)output->channels);
    return hash;
}

/* The hash of a network's outputs for noise of that size; 0 if the memory is too small. */
static uint32_t noise_hash(int32_t kernels, const struct dg_network *network, int32_t rows, int32_t columns) {
    struct noise noise;
    struct dg_source source;
    struct dg_arena memory = dg_arena_of(arena, sizeof arena);
    struct dg_output outputs[DG_MAX_OUTPUTS];
    uint32_t hash = 2166136261u;
    int32_t end;
    noise.bytes = (size_t)columns * (size_t)network->layers[0].channels_out;
    source.row = noise_row;
    source.context = &noise;
    if (dg_run_by(kernels, network, rows, columns, &source, &memory, outputs)) return 0;
    for (end = 0; end < network->end_count; end++) hash = hash_of(hash, &outputs[end]);
    return hash;
}

/* The result of a test: of all answers, and whether they are those of the export. */
static void say(const char *what, uint32_t hash, int failures) {
    printf("%-12s %08lx %s\n", what, (unsigned long)hash, failures ? "DIFFERS" : "ok");
}

static int test(int32_t kernels) {
    struct dg_source source;
    uint32_t hash = 2166136261u, digits = 2166136261u;
    int32_t number, failures = 0;
    source.row = digit_row;
    for (number = 0; number < GOLDEN_DIGITS; number++) {
        struct dg_arena memory = dg_arena_of(arena, sizeof arena);
        struct dg_output output[DG_MAX_OUTPUTS];
        source.context = (void *)(uintptr_t)golden_digits[number];
        if (dg_run_by(kernels, &dg_classifier, DIGITOCR_SIDE, DIGITOCR_SIDE, &source, &memory, output)) {
            printf("memory: too little\n");
            return 1;
        }
        digits = hash_of(digits, output);
    }
    if (digits != GOLDEN_DIGITS_HASH) failures++;
    hash = hashed(hash, (const unsigned char *)&digits, sizeof digits);
    for (number = 0; number < (int32_t)(sizeof golden_noise / sizeof golden_noise[0]); number++) {
        const struct golden_noise *golden = &golden_noise[number];
        uint32_t found;
        found = noise_hash(kernels, golden->network, golden->rows, golden->columns);
        if (found != golden->hash) failures++;
        hash = hashed(hash, (const unsigned char *)&found, sizeof found);
    }
    say(dg_kernels_name(kernels), hash, failures);
    return failures != 0;
}

#ifndef DIGITOCR_SELFTEST_SMALL
#define MOST_BOXES 64 /* in a stored picture */

static uint32_t hashed_number(uint32_t hash, int32_t number) {
    unsigned char bytes[4];
    int place;
    for (place = 0; place < 4; place++) bytes[place] = (unsigned char)((uint32_t)number >> 8 * place);
    return hashed(hash, bytes, sizeof bytes);
}

/* A reading but for its confidences, which Python computes to 1e-6 only. */
static uint32_t numbers_hash(const struct digitocr_reading *reading) {
    uint32_t hash = hashed_number(2166136261u, reading->rotated);
    int32_t n, k, place;
    for (n = 0; n < reading->number_count; n++) {
        const struct digitocr_number *number = &reading->numbers[n];
        hash = hashed(hash, (const unsigned char *)number->text, strlen(number->text) + 1);
        hash = hashed_number(hashed_number(hash, number->line), number->digit_count);
        for (k = 0; k < number->digit_count; k++) {
            const struct digitocr_digit *digit = &reading->digits[number->first_digit + k];
            hash = hashed_number(hashed_number(hash, digit->digit), digit->x);
            hash = hashed_number(hashed_number(hash, digit->y), digit->width);
            hash = hashed_number(hash, digit->height);
            for (place = 0; place < DIGITOCR_TOPK; place++) hash = hashed_number(hash, digit->likely[place]);
        }
    }
    return hash;
}

/* The hashes of boxes, crops and logits of a picture, one step after the other. */
static int steps_hashes(const struct digitocr_picture *picture, uint32_t *hashes) {
    struct dg_arena memory = dg_arena_of(arena, sizeof arena);
    struct digitocr_box *boxes = (struct digitocr_box *)dg_take(&memory, MOST_BOXES * sizeof *boxes);
    float *scores = (float *)dg_take(&memory, MOST_BOXES * sizeof *scores);
    struct dg_view view = dg_view_of(picture, 0, 0), even;
    uint8_t crop[DIGITOCR_SIDE * DIGITOCR_SIDE];
    int32_t count, n;
    int error = dg_detect(&view, 1, MOST_BOXES, boxes, scores, &count, &memory);
    if (!error) error = dg_shadeless(&view, boxes, count, &memory, &even);
    if (error) return error;
    hashes[0] = hashed(hashes[0], (const unsigned char *)boxes, (size_t)count * sizeof *boxes);
    hashes[0] = hashed(hashes[0], (const unsigned char *)scores, (size_t)count * sizeof *scores);
    for (n = 0; n < count; n++) {
        float logits[DIGITOCR_MAX_CLASSES];
        unsigned char *mark = memory.at;
        error = dg_crop(&even, &boxes[n], &memory, crop);
        if (!error) error = digitocr_classify(crop, logits, memory.at, (size_t)(memory.end - memory.at));
        if (error) return error;
        memory.at = mark;
        hashes[1] = hashed(hashes[1], crop, sizeof crop);
        hashes[2] = hashed(hashes[2], (const unsigned char *)logits, sizeof *logits * (size_t)digitocr_classes());
    }
    return DIGITOCR_OK;
}

/* Reads the stored pictures. The hash is also of the confidences, which are the same on all machines. */
static int test_reading(void) {
    static const char *const names[] = {"boxes", "crops", "logits", "numbers"};
    uint32_t hash = 2166136261u;
    int32_t number, step, n, k, failures = 0;
    for (number = 0; number < (int32_t)(sizeof golden_pictures / sizeof golden_pictures[0]); number++) {
        const struct golden_picture *golden = &golden_pictures[number];
        uint32_t found[4] = {2166136261u, 2166136261u, 2166136261u, 0};
        struct digitocr_picture picture;
        struct digitocr_options options = digitocr_defaults();
        struct digitocr_reading reading;
        picture.pixels = golden->pixels;
        picture.width = golden->width;
        picture.height = golden->height;
        picture.stride = golden->width;
        if (steps_hashes(&picture, found) || digitocr_read(&picture, &options, arena, sizeof arena, &reading)) {
            printf("memory: too little\n");
            return 1;
        }
        found[3] = numbers_hash(&reading);
        for (step = 0; step < 4; step++) {
            if (found[step] != golden->hashes[step]) {
                printf("picture %ld: %s differ\n", (long)number, names[step]);
                failures++;
            }
            hash = hashed_number(hash, (int32_t)found[step]);
        }
        for (n = 0; n < reading.number_count; n++)
            hash = hashed(hash, (const unsigned char *)&reading.numbers[n].confidence, sizeof(float));
        for (n = 0; n < reading.digit_count; n++) {
            hash = hashed(hash, (const unsigned char *)&reading.digits[n].confidence, sizeof(float));
            for (k = 0; k < DIGITOCR_TOPK; k++)
                hash = hashed(hash, (const unsigned char *)&reading.digits[n].probability[k], sizeof(float));
        }
    }
    say("reading", hash, failures);
    return failures != 0;
}

struct picture {
    const uint8_t *bytes;
    size_t row_bytes;
};

static void picture_row(void *context, int32_t row, uint8_t *to) {
    const struct picture *picture = (const struct picture *)context;
    memcpy(to, picture->bytes + (size_t)row * picture->row_bytes, picture->row_bytes);
}

/* Runs a network on all inputs of stdin. */
static int run(const char *name, int32_t rows, int32_t columns) {
    const struct dg_network *network = !strcmp(name, "detector")     ? &dg_detector
                                       : !strcmp(name, "recognizer") ? &dg_recognizer
                                                                     : &dg_classifier;
    struct picture picture;
    struct dg_source source;
    size_t needed, input;
    unsigned char *bytes, *memory;
    if (rows < 1 || columns < 1 || rows > 8192 || columns > 8192) return 2;
    picture.row_bytes = (size_t)columns * (size_t)network->layers[0].channels_out;
    input = picture.row_bytes * (size_t)rows;
    needed = dg_run_bytes(network, rows, columns) + DG_ALIGN;
    bytes = (unsigned char *)malloc(input);
    memory = (unsigned char *)malloc(needed);
    if (!bytes || !memory) return 1;
    picture.bytes = bytes;
    source.row = picture_row;
    source.context = &picture;
    while (fread(bytes, 1, input, stdin) == input) {
        struct dg_arena taken = dg_arena_of(memory, needed);
        struct dg_output outputs[DG_MAX_OUTPUTS];
        int32_t end, pixel;
        if (dg_run(network, rows, columns, &source, &taken, outputs)) return 1;
        for (end = 0; end < network->end_count; end++) {
            size_t size = outputs[end].scale == 0 ? sizeof(float) : 1;
            for (pixel = 0; pixel < outputs[end].rows * outputs[end].columns; pixel++)
                fwrite((const unsigned char *)outputs[end].data + size * (size_t)(pixel * outputs[end].stride), size,
                       (size_t)outputs[end].channels, stdout);
        }
    }
    free(bytes);
    free(memory);
    return 0;
}
#endif

int main(int count, char **arguments) {
    int32_t kernels;
    int failed = 0;
#ifndef DIGITOCR_SELFTEST_SMALL
    if (count == 5 && !strcmp(arguments[1], "run"))
        return run(arguments[2], (int32_t)strtol(arguments[3], NULL, 10), (int32_t)strtol(arguments[4], NULL, 10));
#else
    (void)arguments;
#endif
    if (count > 1) {
        fprintf(stderr, "usage: selftest [run classifier|detector|recognizer ROWS COLUMNS]\n");
        return 2;
    }
    if (dg_check_weights()) {
        printf("weights of another export\n");
        return 1;
    }
    for (kernels = 0; kernels < dg_kernels_count(); kernels++)
        if (dg_kernels_name(kernels)) failed |= test(kernels);
#ifndef DIGITOCR_SELFTEST_SMALL
    failed |= test_reading();
#endif
    return failed;
}
#endif
