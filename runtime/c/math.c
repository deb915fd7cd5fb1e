/* Own mathematics: the same bits on every machine, since it uses + - * / and comparisons alone. The error of exp, log,
 * atan2, sin and cos is below 1e-15 of the result; square roots are exact to the last bit. */
#include "internal.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define DG_LN2_HIGH 0.693147180369123816490 /* its last 21 bits are 0, so a multiple by an exponent is exact */
#define DG_LN2_LOW 1.90821492927058770002e-10
#define DG_LN2_INVERSE 1.44269504088896338700
#define DG_HALF_PI_HIGH 1.57079632673412561417 /* its last 20 bits are 0 */
#define DG_HALF_PI_LOW 6.07710050650619224932e-11
#define DG_HALF_PI 1.57079632679489661923
#define DG_PI 3.14159265358979323846
#define DG_SQRT_HALF 0.70710678118654752440

#define DG_EXP_MAX 709.0  /* exp of more is limited to exp of this */
#define DG_EXP_MIN -708.0 /* exp of less is 0 */

static uint64_t dg_bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double dg_of_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* 2 to a power from -1022 to 1023. */
static double dg_power_of_two(int32_t exponent) { return dg_of_bits((uint64_t)(exponent + 1023) << 52); }

/* The exponent of a normal number above 0: it is from 1 to below 2 times 2 to that power. */
static int32_t dg_exponent_of(double value) { return (int32_t)(dg_bits_of(value) >> 52 & 0x7ff) - 1023; }

DG_LOCAL double dg_floor(double value) {
    double whole;
    if (!(value > -4503599627370496.0 && value < 4503599627370496.0))
        return value; /* from 2^52 on all numbers are whole */
    whole = (double)(int64_t)value;
    return whole > value ? whole - 1.0 : whole;
}

DG_LOCAL double dg_ceil(double value) { return -dg_floor(-value); }

DG_LOCAL double dg_round(double value) {
    double low = dg_floor(value), rest = value - low;
    if (rest > 0.5 || (rest == 0.5 && low != 2.0 * dg_floor(low / 2.0)))
        return low + 1.0;
    return low;
}

DG_LOCAL double dg_exp(double value) {
    static const double inverse[15] = {0.0,     1.0,     1.0 / 2,  1.0 / 3,  1.0 / 4,  1.0 / 5,  1.0 / 6, 1.0 / 7,
                                       1.0 / 8, 1.0 / 9, 1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14};
    double times, rest, sum = 1.0;
    int32_t n;
    if (value < DG_EXP_MIN)
        return 0.0;
    if (value > DG_EXP_MAX)
        value = DG_EXP_MAX;
    times = dg_round(value * DG_LN2_INVERSE);
    rest = value - times * DG_LN2_HIGH - times * DG_LN2_LOW; /* at most half of ln 2 */
    for (n = 14; n >= 1; n--)
        sum = 1.0 + sum * (rest * inverse[n]);
    return sum * dg_power_of_two((int32_t)times);
}

DG_LOCAL double dg_log(double value) {
    int32_t exponent = dg_exponent_of(value), n;
    double times, share, square, sum = 0.0;
    value *= dg_power_of_two(-exponent);
    if (value * DG_SQRT_HALF > 1.0) {
        value /= 2.0;
        exponent++;
    }
    /* log((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...), with s of at most 0.172 */
    share = (value - 1.0) / (value + 1.0);
    square = share * share;
    for (n = 23; n >= 3; n -= 2)
        sum = (sum + 1.0 / (double)n) * square;
    times = (double)exponent;
    return times * DG_LN2_HIGH + (2.0 * share + (2.0 * share * sum + times * DG_LN2_LOW));
}

/* The arc tangent of 0 to 1. */
static double dg_arc_tangent(double value) {
    /* of 0, 1/8, 2/8, ... */
    static const double known[9] = {0.0,
                                    0.12435499454676143503,
                                    0.24497866312686415417,
                                    0.35877067027057222040,
                                    0.46364760900080611621,
                                    0.55859931534356243597,
                                    0.64350110879328438680,
                                    0.71882999962162450542,
                                    0.78539816339744830962};
    int32_t place = (int32_t)(value * 8.0 + 0.5), n;
    double from = (double)place / 8.0, rest = (value - from) / (1.0 + value * from); /* at most 1/16 */
    double square = rest * rest, sum = 0.0;
    for (n = 15; n >= 3; n -= 2) {
        double share = 1.0 / (double)n;
        sum = (sum + (n % 4 == 3 ? -share : share)) * square;
    }
    return known[place] + (rest + rest * sum);
}

DG_LOCAL double dg_atan2(double y, double x) {
    double up = y < 0.0 ? -y : y, along = x < 0.0 ? -x : x, angle;
    if (up == 0.0 && along == 0.0)
        return 0.0;
    angle = up <= along ? dg_arc_tangent(up / along) : DG_HALF_PI - dg_arc_tangent(along / up);
    if (x < 0.0)
        angle = DG_PI - angle;
    return y < 0.0 ? -angle : angle;
}

/* The sine of an angle, a quarter turn after it for `quarters` 1. */
static double dg_sine(double angle, int32_t quarters) {
    double turns = dg_round(angle / DG_HALF_PI), sum, square, rest;
    int32_t n, odd;
    rest = angle - turns * DG_HALF_PI_HIGH - turns * DG_HALF_PI_LOW; /* at most an eighth of a turn */
    quarters = (int32_t)((uint32_t)((int32_t)turns + quarters) & 3U);
    odd = quarters % 2;
    square = rest * rest;
    sum = 1.0;
    for (n = odd ? 18 : 19; n >= 2; n -= 2)
        sum = 1.0 - sum * square / (double)(n * (n - 1));
    if (!odd)
        sum *= rest;
    return quarters >= 2 ? -sum : sum;
}

DG_LOCAL double dg_sin(double angle) { return dg_sine(angle, 0); }

DG_LOCAL double dg_cos(double angle) { return dg_sine(angle, 1); }

/* Where the processor has exact square roots, they are taken from it. */
#if defined(__SSE2__)

DG_LOCAL double dg_sqrt(double value) {
    return value > 0.0 ? _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(value))) : 0.0;
}

DG_LOCAL float dg_sqrtf(float value) { return value > 0.0F ? _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(value))) : 0.0F; }

#elif defined(__aarch64__)

DG_LOCAL double dg_sqrt(double value) {
    double root;
    __asm__("fsqrt %d0, %d1" : "=w"(root) : "w"(value));
    return value > 0.0 ? root : 0.0;
}

DG_LOCAL float dg_sqrtf(float value) {
    float root;
    __asm__("fsqrt %s0, %s1" : "=w"(root) : "w"(value));
    return value > 0.0F ? root : 0.0F;
}

#elif defined(__wasm__)

DG_LOCAL double dg_sqrt(double value) { return value > 0.0 ? __builtin_elementwise_sqrt(value) : 0.0; }

DG_LOCAL float dg_sqrtf(float value) { return value > 0.0F ? __builtin_elementwise_sqrt(value) : 0.0F; }

#else

/* Digit by digit in base 2: 54 steps, of which the last one is the bit by which the result is rounded. */
DG_LOCAL double dg_sqrt(double value) {
    uint64_t rest = 0, root = 0, digits;
    int32_t exponent, step;
    if (!(value >= 2.2250738585072014e-308 && value <= 1.7976931348623157e308))
        return 0.0; /* no number above 0 */
    exponent = dg_exponent_of(value);
    digits = (dg_bits_of(value) & 0xfffffffffffffULL) | 0x10000000000000ULL;
    if (exponent % 2) {
        digits <<= 1;
        exponent--;
    }
    digits <<= 10; /* two bits for each of the first steps, from the top */
    for (step = 0; step < 54; step++) {
        rest = rest << 2 | digits >> 62;
        digits <<= 2;
        root <<= 1;
        if (rest > 2 * root) {
            rest -= 2 * root + 1;
            root++;
        }
    }
    root = (root >> 1) + (root & 1); /* never midway between two numbers */
    return (double)root * dg_power_of_two(exponent / 2 - 52);
}

DG_LOCAL float dg_sqrtf(float value) {
    double wide = (double)value, root;
    uint32_t bits;
    float low, high;
    if (!(value >= 1.17549435e-38F && value <= 3.402823466e38F))
        return 0.0F;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits >> 1) + 0x1fbd1df5U; /* within 4 %; each step doubles the right digits */
    memcpy(&low, &bits, sizeof low);
    root = (double)low;
    root = 0.5 * (root + wide / root);
    root = 0.5 * (root + wide / root);
    root = 0.5 * (root + wide / root);
    low = (float)root;
    /* squares of the middles between neighbouring floats have at most 50 bits, so they are exact */
    memcpy(&bits, &low, sizeof bits);
    bits++;
    memcpy(&high, &bits, sizeof high);
    root = ((double)low + (double)high) / 2.0;
    if (root * root < wide)
        return high;
    bits -= 2;
    memcpy(&high, &bits, sizeof high);
    root = ((double)low + (double)high) / 2.0;
    return root * root > wide ? high : low;
}

#endif
