/* What a step costs on a Cortex-M under QEMU: instructions, by all kernels, and bytes of memory and of stack.
 *
 * STEP: 1 a digit of 28x28 pixels, 2 the detector's network on 128x96 pixels, 3 a picture of 128x96 pixels.
 * TICK: instructions of a tick of the processor's clock; with `-icount shift=0` each takes a nanosecond.
 *
 * It prints lines of a name and a number, and speaks to the emulator without a C library, so that the size of the
 * program is that of the reader. */
#include "digitocr.c"

#if STEP == 3
#include "digitocr_golden.h"
#endif

#define SYSTICK ((volatile uint32_t *)0xE000E010u) /* control, reload value, current value */
#define RELOAD 0xFFFFFFu
#define STACK_BYTES 65536u
#define PAINT 0xA5A5A5A5u

#if STEP == 1
#define ARENA_BYTES 24000
#elif STEP == 2
#define ARENA_BYTES 200000
#else
#define ARENA_BYTES 700000
#endif

extern uint32_t stack_top;
void tick(void);

static unsigned char arena[ARENA_BYTES];
static volatile uint32_t turns; /* of the clock */

void tick(void) { turns++; }

static void put(const char *text) {
    register uint32_t call __asm("r0") = 0x04; /* SYS_WRITE0 */
    register const char *what __asm("r1") = text;
    __asm volatile("bkpt 0xab" : "+r"(call) : "r"(what) : "memory");
}

/* 32 bits: a division of 64 would be a part of the program that is measured. */
static void put_line(const char *name, const char *more, uint32_t value) {
    char digits[12];
    int at = (int)sizeof digits - 1;
    digits[at] = 0;
    digits[--at] = '\n';
    do digits[--at] = (char)('0' + value % 10u);
    while ((value /= 10u) != 0);
    put(name);
    put(more);
    put(" ");
    put(digits + at);
}

static uint32_t ticks(void) {
    uint32_t before, now;
    do before = turns, now = SYSTICK[2];
    while (before != turns);
    return before * (RELOAD + 1u) + (RELOAD - now);
}

static uint32_t *stack_end(void) { return &stack_top - STACK_BYTES / 4; }

#if STEP < 3
/* A pattern: a picture would take flash. The time does not depend on it. */
static void row_of(void *context, int32_t row, uint8_t *to) {
    int32_t at, bytes = *(const int32_t *)context;
    for (at = 0; at < bytes; at++) to[at] = (uint8_t)(7 * row + 5 * at);
}
#endif

static int step(int32_t kernels) {
#if STEP == 3
    struct digitocr_picture picture = {golden_pictures[0].pixels, 128, 96, 128};
    struct digitocr_options options = digitocr_defaults();
    struct digitocr_reading reading;
    int error, n;
    (void)kernels; /* the first ones */
    options.rotate = 0;
    error = digitocr_read(&picture, &options, arena, sizeof arena, &reading);
    for (n = 0; !error && n < reading.number_count; n++) put("read "), put(reading.numbers[n].text), put("\n");
    return error;
#else
    struct dg_output outputs[DG_MAX_OUTPUTS];
    struct dg_arena memory = dg_arena_of(arena, sizeof arena);
    struct dg_source source;
    int32_t row_bytes = STEP == 1 ? DIGITOCR_SIDE : 3 * 128;
    source.row = row_of;
    source.context = &row_bytes;
#if STEP == 1
    return dg_run_by(kernels, &dg_classifier, DIGITOCR_SIDE, DIGITOCR_SIDE, &source, &memory, outputs);
#else
    return dg_run_by(kernels, &dg_detector, 96, 128, &source, &memory, outputs);
#endif
#endif
}

int main(void) {
    int32_t kernels;
    uint32_t *at;
    SYSTICK[1] = RELOAD;
    SYSTICK[2] = 0;
    SYSTICK[0] = 7; /* on, with an interrupt, by the processor's clock */
    for (kernels = 0; kernels < dg_kernels_count(); kernels++) {
        uint32_t before;
        for (at = stack_end(); at < (uint32_t *)(uintptr_t)__builtin_frame_address(0) - 64; at++) *at = PAINT;
        before = ticks();
        if (step(kernels)) {
            put("error: memory is too small\n");
            return 1;
        }
        put_line("instructions ", dg_kernels_name(kernels), (ticks() - before) * TICK);
        for (at = stack_end(); *at == PAINT;) at++;
        put_line("stack", "", (uint32_t)((unsigned char *)&stack_top - (unsigned char *)at));
        if (STEP == 3) break;
    }
#if STEP == 1
    put_line("arena", "", digitocr_classify_bytes());
#elif STEP == 2
    put_line("arena", "", dg_run_bytes(&dg_detector, 96, 128));
#else
    {
        struct digitocr_options options = digitocr_defaults();
        options.rotate = 0;
        put_line("arena", "", digitocr_read_bytes(128, 96, &options));
    }
#endif
    put_line("beside", "", sizeof arena);
    return 0;
}
