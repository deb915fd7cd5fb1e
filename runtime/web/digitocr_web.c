/* What digitocr.wasm has beside digitocr.c: the functions of string.h, the crops that the network saw, and proof that
 * the structures lie in memory as digitocr.js takes them to lie.
 *
 * Memory: digitocr.js puts pictures, structures and the arena behind __heap_base, and grows the memory as it needs. */
#include "digitocr.c"

/* With bulk memory these become instructions, no calls of themselves. */
void *memcpy(void *to, const void *from, size_t count) { return __builtin_memcpy(to, from, count); }
void *memmove(void *to, const void *from, size_t count) { return __builtin_memmove(to, from, count); }
void *memset(void *to, int value, size_t count) { return __builtin_memset(to, value, count); }

int memcmp(const void *a, const void *b, size_t count) {
    const unsigned char *one = a, *other = b;
    for (; count && *one == *other; count--, one++, other++) {}
    return count ? *one - *other : 0;
}

__attribute__((no_builtin("strlen"))) size_t strlen(const char *text) { /* or the loop becomes a call of itself */
    size_t length = 0;
    while (text[length]) length++;
    return length;
}

char *strchr(const char *text, int wanted) {
    for (; *text != (char)wanted; text++) {
        if (!*text) return NULL;
    }
    return (char *)(uintptr_t)text;
}

/* A box of a picture in the picture turned clockwise. Its sides are those that dg_turned_back has made larger, unless the
 * picture is so far from upright that they cannot be told. */
static struct digitocr_box web_turned(const struct digitocr_box *box, double width, double height, double turned_width,
                                      double turned_height, int32_t degrees) {
    double cosine, sine, wide, high, x, y, w = (double)box->width, h = (double)box->height;
    struct digitocr_box turned;
    dg_cos_sin(degrees, &cosine, &sine);
    wide = cosine < 0 ? -cosine : cosine;
    high = sine < 0 ? -sine : sine;
    x = (double)box->x + w / 2 - width / 2;
    y = (double)box->y + h / 2 - height / 2;
    if (wide * wide - high * high > 0.5 || wide * wide - high * high < -0.5) {
        double factor = 1 / (wide * wide - high * high), before = w;
        w = (w * wide - h * high) * factor;
        h = (h * wide - before * high) * factor;
    }
    if (!(w >= 1)) w = 1;
    if (!(h >= 1)) h = 1;
    turned.x = (float)(x * cosine - y * sine + turned_width / 2 - w / 2);
    turned.y = (float)(x * sine + y * cosine + turned_height / 2 - h / 2);
    turned.width = (float)w;
    turned.height = (float)h;
    return turned;
}

/* Bytes of memory that digitocr_web_crops needs. */
size_t digitocr_web_crops_bytes(int32_t width, int32_t height, int32_t degrees, int32_t count) {
    int32_t turned_width, turned_height;
    dg_turned_size(width, height, degrees, &turned_width, &turned_height);
    return DG_ALIGN + dg_turn_bytes(width, height, degrees) + DG_BYTES(sizeof(struct digitocr_box) * (size_t)count) +
           dg_background_bytes(turned_width) + dg_crop_bytes(turned_width);
}

/* The crops of 28x28 bytes that the network saw of boxes of a picture, which was turned clockwise to be read. Boxes of a
 * reading are in whole pixels, so that a crop can be off by one. */
int digitocr_web_crops(const struct digitocr_picture *picture, int32_t degrees, const struct digitocr_box *boxes,
                       int32_t count, uint8_t *crops, void *memory, size_t bytes) {
    static const double scales[] = DG_READER_CROP_SCALES;
    struct dg_arena arena = dg_arena_of(memory, bytes);
    struct digitocr_picture turned;
    struct dg_view view, even;
    struct digitocr_box *moved;
    int32_t n;
    int error;
    if (picture->width == DIGITOCR_SIDE && picture->height == DIGITOCR_SIDE) {
        for (n = 0; n < count; n++) dg_lone(picture, crops + DIGITOCR_SIDE * DIGITOCR_SIDE * n);
        return DIGITOCR_OK;
    }
    error = dg_turn(picture, degrees, &arena, &turned);
    if (error) return error;
    moved = dg_take(&arena, sizeof *moved * (size_t)count);
    if (!moved) return DIGITOCR_ERROR_MEMORY;
    for (n = 0; n < count; n++) {
        moved[n] = web_turned(&boxes[n], picture->width, picture->height, turned.width, turned.height, degrees);
    }
    view = dg_view_of(&turned, 0, 0);
    error = dg_shadeless(&view, moved, count, &arena, &even);
    for (n = 0; n < count && !error; n++) {
        struct digitocr_box box = moved[n];
        box.x += box.width * (float)(1 - scales[0]) / 2;
        box.y += box.height * (float)(1 - scales[0]) / 2;
        box.width *= (float)scales[0];
        box.height *= (float)scales[0];
        error = dg_crop(&even, &box, &arena, crops + DIGITOCR_SIDE * DIGITOCR_SIDE * n);
    }
    return error;
}

#define LIES(type, member, offset) _Static_assert(offsetof(struct type, member) == (offset), #type "." #member)

LIES(digitocr_picture, pixels, 0);
LIES(digitocr_picture, width, 4);
LIES(digitocr_picture, height, 8);
LIES(digitocr_picture, stride, 12);
LIES(digitocr_box, x, 0);
LIES(digitocr_box, y, 4);
LIES(digitocr_box, width, 8);
LIES(digitocr_box, height, 12);
LIES(digitocr_options, conf, 0);
LIES(digitocr_options, rotate, 4);
LIES(digitocr_options, mode, 8);
LIES(digitocr_reading, numbers, 0);
LIES(digitocr_reading, number_count, 4);
LIES(digitocr_reading, digits, 8);
LIES(digitocr_reading, digit_count, 12);
LIES(digitocr_reading, line_count, 16);
LIES(digitocr_reading, rotated, 20);
LIES(digitocr_number, text, 0);
LIES(digitocr_number, confidence, 4);
LIES(digitocr_number, line, 8);
LIES(digitocr_number, first_digit, 12);
LIES(digitocr_number, digit_count, 16);
LIES(digitocr_digit, digit, 0);
LIES(digitocr_digit, confidence, 4);
LIES(digitocr_digit, x, 8);
LIES(digitocr_digit, likely, 24);
LIES(digitocr_digit, probability, 36);
_Static_assert(sizeof(struct digitocr_number) == 20, "digitocr_number");
_Static_assert(sizeof(struct digitocr_digit) == 48, "digitocr_digit");
_Static_assert(DIGITOCR_TOPK == 3, "DIGITOCR_TOPK");
