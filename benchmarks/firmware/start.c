/* Start of a program on a Cortex-M under QEMU, before there is a C library; and how it ends.
 *
 * With -DHOSTED the C library speaks to the emulator (newlib's librdimon). */
#include <stdint.h>

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define FPU_ON (0xFu << 20)

extern uint32_t data_start, data_end, data_load, bss_start, bss_end, stack_top;
extern int main(int, char **);
void start(void);
void stop(int code);
void tick(void);

__attribute__((weak)) void tick(void) {}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    &stack_top, (void *)start, [15] = (void *)tick, /* SysTick */
};

/* ADP_Stopped_ApplicationExit, or ADP_Stopped_RunTimeErrorUnknown for another code than 0. */
void stop(int code) {
    register uint32_t call __asm("r0") = 0x18;
    register uint32_t why __asm("r1") = code ? 0x20023u : 0x20026u;
    for (;;) __asm volatile("bkpt 0xab" : : "r"(call), "r"(why) : "memory");
}

#ifdef HOSTED
extern void initialise_monitor_handles(void);
extern void exit(int);
#endif

void start(void) {
#ifdef HOSTED
    static char name[] = "firmware", *arguments[] = {name, 0};
#endif
    uint32_t *from = &data_load, *to;
    CPACR |= FPU_ON;
    __asm volatile("dsb\n isb");
    for (to = &data_start; to < &data_end;) *to++ = *from++;
    for (to = &bss_start; to < &bss_end;) *to++ = 0;
#ifdef HOSTED
    initialise_monitor_handles();
    exit(main(1, arguments));
#else
    stop(main(0, 0));
#endif
}
