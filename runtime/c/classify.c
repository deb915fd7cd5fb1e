/* The first level: one digit of 28x28 pixels. */
#include "internal.h"

const char *digitocr_error_name(int error) {
    static const char *const names[] = {"DIGITOCR_OK",           "DIGITOCR_ERROR_ARGUMENT", "DIGITOCR_ERROR_SIZE",
                                        "DIGITOCR_ERROR_MEMORY", "DIGITOCR_ERROR_OPTIONS",  "DIGITOCR_ERROR_WEIGHTS"};
    return error < 0 || error > DIGITOCR_ERROR_WEIGHTS ? "unknown error" : names[error];
}

int32_t digitocr_classes(void) { return dg_classifier.ends[0].channels; }

/* The network is told 0 to 1 in 255 steps, which are the bytes of the picture. */
static void dg_digit_row(void *context, int32_t row, uint8_t *to) {
    memcpy(to, (const uint8_t *)context + (size_t)row * DIGITOCR_SIDE, DIGITOCR_SIDE);
}

size_t digitocr_classify_bytes(void) { return dg_run_bytes(&dg_classifier, DIGITOCR_SIDE, DIGITOCR_SIDE) + DG_ALIGN; }

int digitocr_classify(const uint8_t *pixels, float *logits, void *arena, size_t arena_bytes) {
    struct dg_source source;
    struct dg_arena memory = dg_arena_of(arena, arena_bytes);
    struct dg_output output[DG_MAX_OUTPUTS];
    int error = dg_check_weights();
    if (error) return error;
    if (!pixels || !logits) return DIGITOCR_ERROR_ARGUMENT;
    source.row = dg_digit_row;
    source.context = (void *)(uintptr_t)pixels; /* it is only read */
    error = dg_run(&dg_classifier, DIGITOCR_SIDE, DIGITOCR_SIDE, &source, &memory, output);
    if (!error) memcpy(logits, output[0].data, sizeof(float) * (size_t)output[0].channels);
    return error;
}

int dg_probabilities_of(const uint8_t *crop, struct dg_arena *arena, float *probabilities) {
    struct dg_source source;
    struct dg_output output[DG_MAX_OUTPUTS];
    unsigned char *mark = arena->at;
    int error;
    source.row = dg_digit_row;
    source.context = (void *)(uintptr_t)crop; /* it is only read */
    error = dg_run(&dg_classifier, DIGITOCR_SIDE, DIGITOCR_SIDE, &source, arena, output);
    if (!error) dg_softmax((const float *)output[0].data, output[0].channels, probabilities);
    arena->at = mark;
    return error;
}
