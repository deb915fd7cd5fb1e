/* What digitocr.wasm has beside digitocr.c: the four functions of string.h, and proof that the structures lie in
 * memory as digitocr.js takes them to lie.
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
