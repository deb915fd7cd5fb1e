/* digitocr: a program that reads digits.
 *
 *     ./digitocr FILE.pgm...
 *
 * prints the digit of each 28x28 picture, ink bright on dark as MNIST has it: path<TAB>digit where there are several.
 * Exit codes are those of `digitocr predict`: 0 ok, 2 usage, 4 a file could not be read.
 */
#ifndef ARDUINO
#include "digitocr.h"

#include <stdio.h>
#include <stdlib.h>

enum { OK = 0, USAGE = 2, UNREADABLE = 4 };

/* The next number of a PGM header, behind white space and comments; -1 if there is none. */
static long header_number(FILE *file) {
    int c = fgetc(file);
    long number = 0;
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '#') {
        if (c == '#')
            while (c != '\n' && c != EOF) c = fgetc(file);
        else
            c = fgetc(file);
    }
    if (c < '0' || c > '9') return -1;
    for (; c >= '0' && c <= '9' && number < 1000000; c = fgetc(file)) number = 10 * number + (c - '0');
    return number; /* one byte of white space behind it is read */
}

/* The pixels of a binary PGM of 8 bits, to be freed; NULL if it is none. */
static uint8_t *read_pgm(const char *path, int32_t *width, int32_t *height) {
    FILE *file = fopen(path, "rb");
    uint8_t *pixels = NULL;
    long wide, high, most;
    if (!file) return NULL;
    if (fgetc(file) == 'P' && fgetc(file) == '5') {
        wide = header_number(file), high = header_number(file), most = header_number(file);
        if (wide > 0 && high > 0 && wide <= DIGITOCR_MAX_SIDE && high <= DIGITOCR_MAX_SIDE && most == 255) {
            size_t count = (size_t)wide * (size_t)high;
            pixels = (uint8_t *)malloc(count);
            if (pixels && fread(pixels, 1, count, file) != count) {
                free(pixels);
                pixels = NULL;
            }
            *width = (int32_t)wide;
            *height = (int32_t)high;
        }
    }
    fclose(file);
    return pixels;
}

static int read_file(const char *path, int is_one) {
    int32_t width = 0, height = 0, place, best = 0;
    float logits[DIGITOCR_MAX_CLASSES];
    size_t bytes = digitocr_classify_bytes();
    uint8_t *pixels = read_pgm(path, &width, &height);
    void *arena = malloc(bytes);
    int error = DIGITOCR_ERROR_MEMORY;
    if (!pixels) {
        fprintf(stderr, "digitocr: %s: is no binary PGM file of 8 bits\n", path);
        free(arena);
        return UNREADABLE;
    }
    if (width != DIGITOCR_SIDE || height != DIGITOCR_SIDE) error = DIGITOCR_ERROR_SIZE;
    else if (arena) error = digitocr_classify(pixels, logits, arena, bytes);
    free(arena);
    free(pixels);
    if (error) {
        fprintf(stderr, "digitocr: %s: %s\n", path, digitocr_error_name(error));
        return UNREADABLE;
    }
    for (place = 1; place < digitocr_classes(); place++)
        if (logits[place] > logits[best]) best = place;
    if (!is_one) printf("%s\t", path);
    if (best < 10) printf("%d", (int)best);
    printf("\n");
    return OK;
}

int main(int count, char **arguments) {
    int place, status = OK;
    if (count < 2) {
        fprintf(stderr, "usage: digitocr FILE.pgm...\n");
        return USAGE;
    }
    for (place = 1; place < count; place++) {
        int result = read_file(arguments[place], count == 2);
        if (result > status) status = result;
    }
    return status;
}
#endif
