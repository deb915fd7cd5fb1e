/* The part of string.h that digitocr.c uses, for a target without a C library. digitocr_web.c defines it. */
#ifndef DIGITOCR_STRING_H
#define DIGITOCR_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);
char *strchr(const char *text, int wanted);

#endif
