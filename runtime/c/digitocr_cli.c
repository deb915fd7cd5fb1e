/* digitocr: a program that reads the numbers in pictures, as `digitocr predict` does.
 *
 *     ./digitocr page.pgm
 *     ./digitocr --jsonl --rotate 0 *.pgm > readings.jsonl
 *
 * Prints the numbers of one picture, a line for each line in it; of several pictures PATH<TAB>NUMBERS. ? is a digit
 * that cannot be told. stderr says why nothing was read. With --jsonl (or --json) a line of JSON for each picture, with
 * the keys of docs/json.md; in "ms", classify is the time of all that follows decode. Options, with their defaults:
 *
 *     --conf 0.5      less certain digits are left out, or are places of doubt
 *     --rotate auto   or 0, 90, 180, 270: degrees clockwise before a picture is read
 *     --mode auto     or line, single
 *
 * The file - is standard input; behind -- all arguments are files. Pictures are binary PGM files of 8 bits or fewer. Exit
 * codes are those of `digitocr predict`: 0 ok, 1 unexpected, 2 usage, 4 a file could not be read, 9 the output could not be
 * written.
 */
#ifndef ARDUINO
#include "digitocr.h"
#include "digitocr_weights.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OK = 0, UNEXPECTED = 1, USAGE = 2, UNREADABLE = 4, UNWRITABLE = 9 };

#define MAX_PIXELS 52000000 /* of a picture, as digitocr.runtime.image has it */
#define MIN_SIDE 5          /* pixels; nothing narrower can show a digit */
#define WHY_LENGTH 200      /* bytes */
#define NO_MEMORY "there is not enough memory to read it; make it smaller"
#define NO_PGM "is no binary PGM file of 8 bits or fewer; convert it, as by convert PICTURE -depth 8 page.pgm"
#define HELP                                                                          \
    "usage: digitocr [--jsonl] [--conf 0.5] [--rotate auto] [--mode auto] FILE.pgm...\n" \
    "--rotate takes auto, 0, 90, 180 or 270; --mode auto, line or single\n"

/* --- Pictures ----------------------------------------------------------------------------------------------------- */

/* The next number of a PGM header, behind white space and comments; -1 if there is none. */
static long header_number(FILE *file) {
    int c = fgetc(file);
    long number = 0;
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '#') {
        if (c == '#')
            while (c != '\n' && c != EOF)
                c = fgetc(file);
        else
            c = fgetc(file);
    }
    if (c < '0' || c > '9')
        return -1;
    for (; c >= '0' && c <= '9' && number < 1000000; c = fgetc(file))
        number = 10 * number + (c - '0');
    return number; /* one byte of white space behind it is read */
}

/* Levels from 0 to `most`, which is 255 at most, as grey levels: what Pillow makes of them, halves to the even one. */
static void scale_levels(uint8_t *pixels, size_t count, long most) {
    uint8_t levels[256];
    size_t n;
    for (n = 0; n < 256; n++) {
        double level = (double)n / (double)most * 255.0, rest;
        int low = level < 255.0 ? (int)level : 255;
        rest = level - low;
        levels[n] = (uint8_t)(low + (low < 255 && (rest > 0.5 || (rest >= 0.5 && low % 2))));
    }
    for (n = 0; n < count; n++)
        pixels[n] = levels[pixels[n]];
}

/* The pixels of a binary PGM of 8 bits or fewer, to be freed; NULL if it is none, and then `why`, of WHY_LENGTH, says so. */
static uint8_t *read_pgm(const char *path, struct digitocr_picture *picture, char *why) {
    FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    uint8_t *pixels = NULL;
    long width = 0, height = 0, most = 0;
    if (!file) {
        snprintf(why, WHY_LENGTH, "cannot be read (%s)", strerror(errno));
        return NULL;
    }
    strcpy(why, NO_PGM);
    if (fgetc(file) == 'P' && fgetc(file) == '5') {
        width = header_number(file);
        height = header_number(file);
        most = header_number(file);
    }
    if (width > 0 && height > 0 && most > 0 && most < 256) {
        if (width < MIN_SIDE || height < MIN_SIDE)
            snprintf(why, WHY_LENGTH, "%ldx%ld pixels are too few; each side must have at least %d", width, height,
                     MIN_SIDE);
        else if (width > DIGITOCR_MAX_SIDE || height > DIGITOCR_MAX_SIDE || width > MAX_PIXELS / height)
            strcpy(why, "is too large; make it smaller");
        else {
            size_t count = (size_t)width * (size_t)height;
            pixels = malloc(count);
            strcpy(why, NO_MEMORY);
            if (pixels && fread(pixels, 1, count, file) != count) {
                free(pixels);
                pixels = NULL;
                strcpy(why, "damaged or cut short; save or copy it again");
            }
            if (pixels && most < 255)
                scale_levels(pixels, count, most);
            picture->pixels = pixels;
            picture->width = (int32_t)width;
            picture->height = (int32_t)height;
            picture->stride = (ptrdiff_t)width;
        }
    }
    if (file != stdin) /* which may be named again */
        fclose(file);
    return pixels;
}

/* --- What is printed ---------------------------------------------------------------------------------------------- */

/* The next character of UTF-8, and its bytes; of bytes that are none, the first one with 0xdc00 added, as Python has
 * them. */
static unsigned long next_character(const char *text, int *length) {
    static const unsigned long least[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    int bytes = first < 0x80 ? 1 : first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0, n;
    unsigned long value = bytes < 2 ? first : first & (0x7fU >> bytes);
    if (first >= 0xf8)
        bytes = 0;
    for (n = 1; n < bytes; n++) {
        unsigned char next = (unsigned char)text[n];
        if ((next & 0xc0) != 0x80) {
            bytes = 0;
            break;
        }
        value = value << 6 | (next & 0x3f);
    }
    if (bytes > 1 && (value < least[bytes] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)))
        bytes = 0;
    *length = bytes ? bytes : 1;
    return bytes ? value : 0xdc00UL + first;
}

/* A string of JSON, in ASCII. */
static void print_json_string(const char *text) {
    int length;
    putchar('"');
    for (; *text; text += length) {
        unsigned long value = next_character(text, &length);
        if (value == '"' || value == '\\')
            printf("\\%c", (int)value);
        else if (value == '\n' || value == '\r' || value == '\t' || value == '\b' || value == '\f')
            printf("\\%c", value == '\n' ? 'n' : value == '\r' ? 'r' : value == '\t' ? 't' : value == '\b' ? 'b' : 'f');
        else if (value >= 0x20 && value < 0x7f)
            putchar((int)value);
        else if (value < 0x10000)
            printf("\\u%04lx", value);
        else
            printf("\\u%04lx\\u%04lx", 0xd800 + ((value - 0x10000) >> 10), 0xdc00 + ((value - 0x10000) & 0x3ff));
    }
    putchar('"');
}

/* A name on one line: what a terminal obeys becomes an escape. */
static void print_plain(FILE *file, const char *text) {
    int length;
    for (; *text; text += length) {
        unsigned long value = next_character(text, &length);
        if (value == '\n' || value == '\r' || value == '\t')
            fprintf(file, "\\%c", value == '\n' ? 'n' : value == '\r' ? 'r' : 't');
        else if (value < 0x20 || (value >= 0x7f && value < 0xa0))
            fprintf(file, "\\x%02lx", value);
        else if (value == 0x2028 || value == 0x2029)
            fprintf(file, "\\u%04lx", value);
        else
            fwrite(text, 1, (size_t)length, file);
    }
}

/* A number as Python's round(value, digits) is printed. */
static void print_rounded(double value, int digits) {
    char text[32];
    char *end;
    snprintf(text, sizeof text, "%.*f", digits, value);
    for (end = text + strlen(text) - 1; *end == '0' && end[-1] != '.'; end--)
        *end = '\0';
    fputs(text, stdout);
}

static void print_confidence(double value) { print_rounded(value, 4); }

/* Why nothing was read, in one line; empty if something was. */
static void say_why(const struct digitocr_reading *reading, float conf, char *text, size_t size) {
    int32_t count = reading->regions;
    char found[64], shown[32];
    int places = 2, tried;
    text[0] = '\0';
    if (reading->why == DIGITOCR_WHY_READ)
        return;
    if (reading->why == DIGITOCR_WHY_NOTHING_FOUND) {
        snprintf(text, size, "nothing in it looks like a digit");
        return;
    }
    if (count == 1)
        snprintf(found, sizeof found, "1 region was found");
    else
        snprintf(found, sizeof found, "%ld regions were found", (long)count);
    if (reading->why != DIGITOCR_WHY_UNSURE) {
        snprintf(text, size, "%s; %s %s", found, count == 1 ? "its line shows" : "their lines show",
                 reading->why == DIGITOCR_WHY_NO_CHARACTERS ? "no characters" : "letters or signs, no digits");
        return;
    }
    for (tried = 2; tried < 8; tried++) { /* 1.00 is not below 1 */
        snprintf(shown, sizeof shown, "%.*f", tried, (double)reading->confidence);
        if ((float)strtod(shown, NULL) < conf) {
            places = tried;
            break;
        }
    }
    snprintf(text, size, "%s, the most confident reading is a %ld with %.*f, below --conf %g", found,
             (long)reading->likeliest, places, (double)reading->confidence, (double)conf);
}

/* The numbers as they are written, apart by a space; lines apart by `between`. */
static void print_numbers(const struct digitocr_reading *reading, const char *between) {
    int32_t n;
    for (n = 0; n < reading->number_count; n++) {
        const struct digitocr_number *number = &reading->numbers[n];
        fputs(n == 0 ? "" : number->line == number[-1].line ? " " : between, stdout);
        fputs(number->text, stdout);
    }
    putchar('\n');
}

/* The digits of some numbers without signs, numbers apart by a space, lines by \n. */
static void print_digits(const struct digitocr_reading *reading, int32_t first, int32_t last) {
    int32_t n, k;
    putchar('"');
    for (n = first; n < last; n++) {
        const struct digitocr_number *number = &reading->numbers[n];
        fputs(n == first ? "" : number->line == number[-1].line ? " " : "\\n", stdout);
        for (k = 0; k < number->digit_count; k++) {
            int32_t digit = reading->digits[number->first_digit + k].digit;
            putchar(digit < 0 ? '?' : '0' + (int)digit);
        }
    }
    putchar('"');
}

static void print_box(long x, long y, long width, long height) { printf("[%ld, %ld, %ld, %ld]", x, y, width, height); }

/* The smallest box around the digits of a number. */
static void print_number_box(const struct digitocr_digit *digits, int32_t count) {
    int32_t x = digits->x, y = digits->y, right = x + digits->width, bottom = y + digits->height, n;
    for (n = 1; n < count; n++) {
        const struct digitocr_digit *one = &digits[n];
        x = one->x < x ? one->x : x;
        y = one->y < y ? one->y : y;
        right = one->x + one->width > right ? one->x + one->width : right;
        bottom = one->y + one->height > bottom ? one->y + one->height : bottom;
    }
    print_box(x, y, right - x, bottom - y);
}

static void print_digit(const struct digitocr_digit *digit) {
    int n;
    if (digit->digit < 0)
        fputs("{\"digit\": null", stdout);
    else
        printf("{\"digit\": %ld", (long)digit->digit);
    fputs(", \"confidence\": ", stdout);
    print_confidence((double)digit->confidence);
    fputs(", \"box\": ", stdout);
    print_box(digit->x, digit->y, digit->width, digit->height);
    fputs(", \"topk\": [", stdout);
    for (n = 0; n < DIGITOCR_TOPK; n++) {
        printf("%s[%ld, ", n ? ", " : "", (long)digit->likely[n]);
        print_confidence((double)digit->probability[n]);
        putchar(']');
    }
    fputs("]}", stdout);
}

static void print_number(const struct digitocr_reading *reading, const struct digitocr_number *number) {
    const struct digitocr_digit *digits = reading->digits + number->first_digit;
    int32_t n;
    printf("{\"text\": \"%s\", \"confidence\": ", number->text);
    print_confidence((double)number->confidence);
    fputs(", \"box\": ", stdout);
    print_number_box(digits, number->digit_count);
    fputs(", \"digits\": [", stdout);
    for (n = 0; n < number->digit_count; n++) {
        fputs(n ? ", " : "", stdout);
        print_digit(&digits[n]);
    }
    fputs("]}", stdout);
}

static void print_json(const char *path, const struct digitocr_reading *reading, const char *why, double decode,
                       double read) {
    int32_t first, last, n;
    float least = reading->digit_count ? 1.0F : 0.0F;
    fputs("{\"schema\": \"digitocr/2\", \"source\": ", stdout);
    print_json_string(path);
    fputs(", \"page\": null, \"pages\": 1, \"text\": ", stdout);
    print_digits(reading, 0, reading->number_count);
    for (n = 0; n < reading->digit_count; n++)
        least = reading->digits[n].confidence < least ? reading->digits[n].confidence : least;
    fputs(", \"confidence\": ", stdout);
    print_confidence((double)least);
    printf(", \"turned\": %ld, \"lines\": [", (long)reading->rotated);
    for (first = 0; first < reading->number_count; first = last) {
        for (last = first; last < reading->number_count && reading->numbers[last].line == reading->numbers[first].line;)
            last++;
        fputs(first ? ", {\"text\": " : "{\"text\": ", stdout);
        print_digits(reading, first, last);
        fputs(", \"numbers\": [", stdout);
        for (n = first; n < last; n++) {
            fputs(n > first ? ", " : "", stdout);
            print_number(reading, &reading->numbers[n]);
        }
        fputs("]}", stdout);
    }
    fputs("], \"why\": ", stdout);
    print_json_string(why);
    fputs(", \"ms\": {\"decode\": ", stdout);
    print_rounded(decode, 3);
    fputs(", \"detect\": 0.0, \"classify\": ", stdout);
    print_rounded(read, 3);
    fputs("}, \"model\": {\"name\": \"" DIGITOCR_CLASSIFIER_NAME "\", \"sha256\": \"" DIGITOCR_CLASSIFIER_SHA256
          "\"}, \"error\": null}\n",
          stdout);
}

static void print_json_error(const char *path, const char *why) {
    char *text = malloc(strlen(path) + strlen(why) + 3);
    if (!text)
        return;
    strcpy(text, path);
    strcat(text, ": ");
    strcat(text, why);
    fputs("{\"schema\": \"digitocr/2\", \"source\": ", stdout);
    print_json_string(path);
    fputs(", \"page\": null, \"pages\": 1, \"text\": \"\", \"confidence\": 0.0, \"turned\": 0, \"lines\": [], "
          "\"why\": \"\", \"ms\": {}, \"model\": null, \"error\": ",
          stdout);
    print_json_string(text);
    fputs("}\n", stdout);
    free(text);
}

static void print_error(const char *path, const char *why) {
    fputs("digitocr: ", stderr);
    if (path) {
        print_plain(stderr, path);
        fputs(": ", stderr);
    }
    fprintf(stderr, "%s\n", why);
}

/* Whether all that was printed so far is where it should be; else it says so. */
static int is_written(void) {
    char why[WHY_LENGTH];
    if (!fflush(stdout) && !ferror(stdout))
        return 1;
    snprintf(why, sizeof why, "standard output cannot be written (%s); send it elsewhere", strerror(errno));
    print_error(NULL, why);
    return 0;
}

/* --- The program -------------------------------------------------------------------------------------------------- */

static double milliseconds(clock_t began) { return 1000.0 * (double)(clock() - began) / CLOCKS_PER_SEC; }

static int read_file(const char *path, const struct digitocr_options *options, int is_one, int is_json) {
    struct digitocr_picture picture;
    struct digitocr_reading reading;
    char why[WHY_LENGTH], text[WHY_LENGTH];
    clock_t began = clock();
    uint8_t *pixels = read_pgm(path, &picture, why);
    double decode = milliseconds(began);
    size_t bytes = pixels ? digitocr_read_bytes(picture.width, picture.height, options) : 0;
    void *arena = bytes ? malloc(bytes) : NULL;
    int status = UNREADABLE, written;
    text[0] = '\0';
    if (pixels && !arena)
        strcpy(why, NO_MEMORY);
    if (pixels && arena) {
        int error;
        began = clock();
        error = digitocr_read(&picture, options, arena, bytes, &reading);
        strcpy(why, digitocr_error_name(error));
        status = error ? UNEXPECTED : OK;
    }
    if (status) {
        if (is_json)
            print_json_error(path, why);
    } else {
        say_why(&reading, options->conf, text, sizeof text);
        if (is_json) {
            print_json(path, &reading, text, decode, milliseconds(began));
        } else if (!is_one) {
            print_plain(stdout, path);
            putchar('\t');
            print_numbers(&reading, " ");
        } else if (reading.number_count) {
            print_numbers(&reading, "\n");
        }
    }
    written = is_written(); /* before what is said of it */
    if (status)
        print_error(path, why);
    else if (text[0])
        print_error(is_one ? NULL : path, text);
    free(arena);
    free(pixels);
    return written ? status : UNWRITABLE;
}

/* Sets an option from its name and value; whether there are such ones. */
static int set_option(struct digitocr_options *options, const char *name, const char *value) {
    static const char *const modes[] = {"auto", "line", "single"};
    char *end;
    int32_t n;
    if (!value)
        return 0;
    if (!strcmp(name, "--conf")) {
        options->conf = (float)strtod(value, &end);
        return *value && !*end && options->conf >= 0.0F && options->conf <= 1.0F;
    }
    if (!strcmp(name, "--rotate")) {
        long degrees = strtol(value, &end, 10);
        options->rotate = strcmp(value, "auto") ? (int32_t)degrees : DIGITOCR_ROTATE_AUTO;
        return !strcmp(value, "auto") || (*value && !*end && degrees >= 0 && degrees < 360 && degrees % 90 == 0);
    }
    for (n = 0; n < 3; n++)
        if (!strcmp(name, "--mode") && !strcmp(value, modes[n])) {
            options->mode = n;
            return 1;
        }
    return 0;
}

int main(int count, char **arguments) {
    struct digitocr_options options = digitocr_defaults();
    int place, files = 0, is_json = 0, only_files = 0, status = OK;
    for (place = 1; place < count; place++) {
        const char *argument = arguments[place];
        if (argument[0] != '-' || !argument[1] || only_files)
            arguments[files++] = arguments[place]; /* files are kept in front */
        else if (!strcmp(argument, "--"))
            only_files = 1;
        else if (!strcmp(argument, "--help") || !strcmp(argument, "-h")) {
            fputs(HELP, stdout);
            return is_written() ? OK : UNWRITABLE;
        } else if (!strcmp(argument, "--jsonl") || !strcmp(argument, "--json"))
            is_json = 1;
        else if (!set_option(&options, argument, arguments[place + 1])) {
            print_error(argument, "no such option, or no such value of it; --help shows them");
            return USAGE;
        } else
            place++;
    }
    if (!files) {
        fputs(HELP, stderr);
        return USAGE;
    }
    for (place = 0; place < files; place++) {
        int result = read_file(arguments[place], &options, files == 1, is_json);
        if (result == UNWRITABLE)
            return UNWRITABLE;
        if (result && (!status || result < status))
            status = result;
    }
    return status;
}
#endif
