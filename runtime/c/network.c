/* Walks the tables of layers of digitocr_weights.c: all that a network is made of, in bytes, as ONNX Runtime computes it.
 *
 * Most of the time goes into `sum`, which multiplies the bytes of some pixels with the weights of 16 channels. It exists
 * once in plain C, which is the reference, and in a few lines for each processor that has instructions for it. All of
 * them give the same bits, since they add integers.
 */
#include "internal.h"

/* --- Memory ------------------------------------------------------------------------------------------------------- */

struct dg_arena dg_arena_of(void *memory, size_t bytes) {
    struct dg_arena arena;
    size_t skipped = (size_t)(DG_ALIGN - (uintptr_t)memory % DG_ALIGN) % DG_ALIGN;
    arena.at = arena.end = (unsigned char *)memory;
    if (memory && skipped <= bytes) {
        arena.at += skipped;
        arena.end += bytes;
    }
    return arena;
}

void *dg_take(struct dg_arena *arena, size_t bytes) {
    unsigned char *taken = arena->at;
    if (bytes > (size_t)-1 - DG_ALIGN || DG_BYTES(bytes) > (size_t)(arena->end - arena->at)) return NULL;
    arena->at += DG_BYTES(bytes);
    return taken;
}

/* --- Numbers ------------------------------------------------------------------------------------------------------ */

#define DG_ROUNDING 12582912.0f /* 1.5 * 2^23: a float of that size has no fraction, so adding it rounds, half to even */

float dg_rounded(float value) { return value + DG_ROUNDING - DG_ROUNDING; }

static uint8_t dg_byte(int32_t value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

uint8_t dg_quantised(float value, float scale, int32_t zero_point) {
    float steps = value / scale;
    if (!(steps > -1024.0f)) return dg_byte(steps < 0 ? 0 : zero_point); /* not a number: zero */
    if (steps > 1024.0f) return 255;
    return dg_byte((int32_t)dg_rounded(steps) + zero_point);
}

/* a * b + c with one rounding, as a fused multiply-add gives it; a is a byte, so that the double product is exact. */
static float dg_fused(float a, float b, float c) {
#if defined(__ARM_FEATURE_FMA) && defined(__GNUC__)
    return __builtin_fmaf(a, b, c); /* an instruction; a Cortex-M computes double numbers in software */
#else
    return (float)((double)a * (double)b + (double)c);
#endif
}

/* --- Kernels ------------------------------------------------------------------------------------------------------ */

#define DG_MAX_TAPS 64  /* places of a depthwise kernel or a pooling; rows of any kernel */
#define DG_MAX_GROUP 16 /* pixels that are gathered at once */

/* What is written for each processor. `pixels` are the bytes under the kernel for each pixel, `stride` bytes apart,
 * padded to a multiple of 4; those of SSE2 and WebAssembly are widened before. */
struct dg_kernels {
    const char *name;
    int32_t group;  /* pixels that are gathered at once */
    size_t width;   /* bytes that a byte becomes when it is widened */
    int (*is_supported)(void);
    void (*widen)(const uint8_t *from, size_t count, uint8_t *to); /* NULL where width is 1 */
    /* sums[16 * n] of the first `channels` of 16, for n pixels */
    void (*sum)(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours, int32_t channels,
                int32_t *sums);
    /* sums[16] of 16 channels of a depthwise layer */
    void (*sum_each)(const uint8_t *const *taps, int32_t count, size_t first_channel, const int8_t *weights,
                     size_t stride, int32_t *sums);
    /* 16 bytes of 16 sums */
    void (*requantise)(const int32_t *sums, const int32_t *bias, const float *scale, const int16_t *zero, uint8_t *to);
    /* fma(a, first, plus[b]) rounded, of `count` bytes */
    void (*add)(const uint8_t *a, const uint8_t *b, size_t count, float first, float second, float constant,
                uint8_t *to);
};

static int dg_always(void) { return 1; }

/* What the processor that is compiled for has for sure. */
#if defined(DIGITOCR_PLAIN)
#elif defined(__SSE2__) || defined(_M_X64)
#define DG_SSE2 1
#elif defined(__wasm_simd128__)
#define DG_WASM 1
#elif defined(__ARM_NEON)
#define DG_NEON 1
#elif defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define DG_DSP 1
#endif

/* Plain C is left out where it would not be used, but in the selftest. */
#if defined(DIGITOCR_ALL_KERNELS) || !(defined(DG_SSE2) || defined(DG_WASM) || defined(DG_NEON) || defined(DG_DSP))
#define DG_PLAIN 1
#endif

#if defined(DG_PLAIN)
/* Two pixels and four channels at once, so that what is loaded is used several times. */
static void dg_sum_plain(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours,
                         int32_t channels, int32_t *sums) {
    int32_t p, channel, k, place;
    for (p = 0; p < n; p += 2) {
        const uint8_t *first = pixels + (size_t)p * stride, *second = p + 1 < n ? first + stride : first;
        for (channel = 0; channel < channels; channel += 4) {
            const int8_t *w = weights + 4 * channel;
            int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
            int32_t *to = sums + DG_BLOCK * p + channel;
            for (k = 0; k < fours; k++, w += 4 * DG_BLOCK)
                for (place = 0; place < 4; place++) {
                    int32_t a = first[4 * k + place], b = second[4 * k + place];
                    a0 += w[place] * a, b0 += w[place] * b;
                    a1 += w[place + 4] * a, b1 += w[place + 4] * b;
                    a2 += w[place + 8] * a, b2 += w[place + 8] * b;
                    a3 += w[place + 12] * a, b3 += w[place + 12] * b;
                }
            to[0] = a0, to[1] = a1, to[2] = a2, to[3] = a3;
            if (p + 1 < n) to += DG_BLOCK, to[0] = b0, to[1] = b1, to[2] = b2, to[3] = b3;
        }
    }
}

static void dg_sum_each_plain(const uint8_t *const *taps, int32_t count, size_t first_channel, const int8_t *weights,
                              size_t stride, int32_t *sums) {
    int32_t tap, channel;
    for (channel = 0; channel < DG_BLOCK; channel++) sums[channel] = 0;
    for (tap = 0; tap < count; tap++) {
        const uint8_t *from = taps[tap] + first_channel;
        const int8_t *w = weights + (size_t)tap * stride;
        for (channel = 0; channel < DG_BLOCK; channel++) sums[channel] += from[channel] * w[channel];
    }
}
#endif

#if defined(DG_PLAIN) || defined(DG_DSP)
static void dg_requantise_plain(const int32_t *sums, const int32_t *bias, const float *scale, const int16_t *zero,
                                uint8_t *to) {
    int32_t channel;
    for (channel = 0; channel < DG_BLOCK; channel++) {
        float value = (float)(sums[channel] + bias[channel]) * scale[channel];
        to[channel] = dg_byte((int32_t)dg_rounded(value) + zero[channel]);
    }
}
#endif

static void dg_add_plain(const uint8_t *a, const uint8_t *b, size_t count, float first, float second, float constant,
                         uint8_t *to) {
    size_t at;
    for (at = 0; at < count; at++) {
        float value = dg_fused((float)a[at], first, dg_fused((float)b[at], second, constant));
        to[at] = dg_byte((int32_t)dg_rounded(value));
    }
}

#if defined(DG_SSE2)
#include <emmintrin.h>

/* Each 4 bytes become 4 int16 twice, which multiply the weights of two channels. */
static void dg_widen_sse2(const uint8_t *from, size_t count, uint8_t *to) {
    size_t at;
    for (at = 0; at < count; at += 8) {
        __m128i wide = _mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i *)(const void *)(from + at)), _mm_setzero_si128());
        _mm_storeu_si128((__m128i *)(void *)(to + 4 * at), _mm_unpacklo_epi64(wide, wide));
        _mm_storeu_si128((__m128i *)(void *)(to + 4 * at + 16), _mm_unpackhi_epi64(wide, wide));
    }
}

#define DG_PAIR(x, low, high)                                        \
    low = _mm_add_epi32(low, _mm_madd_epi16(x, first)),              \
    high = _mm_add_epi32(high, _mm_madd_epi16(x, second))

/* The sums of 4 channels: those of pairs of products, added. */
static void dg_store_sse2(__m128i low, __m128i high, int32_t *to) {
    __m128 a = _mm_castsi128_ps(low), b = _mm_castsi128_ps(high);
    __m128i even = _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)));
    __m128i odd = _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
    _mm_storeu_si128((__m128i *)(void *)to, _mm_add_epi32(even, odd));
}

static void dg_sum_sse2(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours,
                        int32_t channels, int32_t *sums) {
    int32_t channel, p, k;
    for (channel = 0; channel < channels; channel += 4) {
        for (p = 0; p < n; p += 4) {
            const uint8_t *x0 = pixels + (size_t)p * stride, *x1 = p + 1 < n ? x0 + stride : x0;
            const uint8_t *x2 = p + 2 < n ? x1 + stride : x0, *x3 = p + 3 < n ? x2 + stride : x0;
            const int8_t *w = weights + 4 * channel;
            int32_t *to = sums + DG_BLOCK * p + channel;
            __m128i low0 = _mm_setzero_si128(), low1 = low0, low2 = low0, low3 = low0;
            __m128i high0 = low0, high1 = low0, high2 = low0, high3 = low0;
            for (k = 0; k < fours; k++, w += 4 * DG_BLOCK) {
                __m128i packed = _mm_loadu_si128((const __m128i *)(const void *)w);
                __m128i sign = _mm_cmpgt_epi8(_mm_setzero_si128(), packed);
                __m128i first = _mm_unpacklo_epi8(packed, sign), second = _mm_unpackhi_epi8(packed, sign), x;
                x = _mm_loadu_si128((const __m128i *)(const void *)(x0 + 16 * k)), DG_PAIR(x, low0, high0);
                x = _mm_loadu_si128((const __m128i *)(const void *)(x1 + 16 * k)), DG_PAIR(x, low1, high1);
                x = _mm_loadu_si128((const __m128i *)(const void *)(x2 + 16 * k)), DG_PAIR(x, low2, high2);
                x = _mm_loadu_si128((const __m128i *)(const void *)(x3 + 16 * k)), DG_PAIR(x, low3, high3);
            }
            dg_store_sse2(low0, high0, to);
            if (p + 1 < n) dg_store_sse2(low1, high1, to + DG_BLOCK);
            if (p + 2 < n) dg_store_sse2(low2, high2, to + 2 * DG_BLOCK);
            if (p + 3 < n) dg_store_sse2(low3, high3, to + 3 * DG_BLOCK);
        }
    }
}

/* Products of a byte and a weight fit into 16 bits. */
static void dg_sum_each_sse2(const uint8_t *const *taps, int32_t count, size_t first_channel, const int8_t *weights,
                             size_t stride, int32_t *sums) {
    __m128i none = _mm_setzero_si128(), s0 = none, s1 = none, s2 = none, s3 = none;
    int32_t tap;
    for (tap = 0; tap < count; tap++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(taps[tap] + first_channel));
        __m128i w = _mm_loadu_si128((const __m128i *)(const void *)(weights + (size_t)tap * stride));
        __m128i sign = _mm_cmpgt_epi8(none, w);
        __m128i low = _mm_mullo_epi16(_mm_unpacklo_epi8(x, none), _mm_unpacklo_epi8(w, sign));
        __m128i high = _mm_mullo_epi16(_mm_unpackhi_epi8(x, none), _mm_unpackhi_epi8(w, sign));
        s0 = _mm_add_epi32(s0, _mm_srai_epi32(_mm_unpacklo_epi16(none, low), 16));
        s1 = _mm_add_epi32(s1, _mm_srai_epi32(_mm_unpackhi_epi16(none, low), 16));
        s2 = _mm_add_epi32(s2, _mm_srai_epi32(_mm_unpacklo_epi16(none, high), 16));
        s3 = _mm_add_epi32(s3, _mm_srai_epi32(_mm_unpackhi_epi16(none, high), 16));
    }
    _mm_storeu_si128((__m128i *)(void *)sums, s0);
    _mm_storeu_si128((__m128i *)(void *)(sums + 4), s1);
    _mm_storeu_si128((__m128i *)(void *)(sums + 8), s2);
    _mm_storeu_si128((__m128i *)(void *)(sums + 12), s3);
}

static __m128i dg_steps_sse2(const int32_t *sums, const int32_t *bias, const float *scale) {
    __m128i sum = _mm_add_epi32(_mm_loadu_si128((const __m128i *)(const void *)sums),
                                _mm_loadu_si128((const __m128i *)(const void *)bias));
    return _mm_cvtps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(sum), _mm_loadu_ps(scale))); /* rounds half to even */
}

static void dg_requantise_sse2(const int32_t *sums, const int32_t *bias, const float *scale, const int16_t *zero,
                               uint8_t *to) {
    __m128i low = _mm_packs_epi32(dg_steps_sse2(sums, bias, scale), dg_steps_sse2(sums + 4, bias + 4, scale + 4));
    __m128i high = _mm_packs_epi32(dg_steps_sse2(sums + 8, bias + 8, scale + 8),
                                   dg_steps_sse2(sums + 12, bias + 12, scale + 12));
    low = _mm_adds_epi16(low, _mm_loadu_si128((const __m128i *)(const void *)zero));
    high = _mm_adds_epi16(high, _mm_loadu_si128((const __m128i *)(const void *)(zero + 8)));
    _mm_storeu_si128((__m128i *)(void *)to, _mm_packus_epi16(low, high));
}
#endif

#if defined(DG_SSE2) && defined(__GNUC__)
#include <immintrin.h>

static int dg_has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int dg_has_vnni(void) {
    return dg_has_avx2() && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vnni");
}

#define DG_AVX2 __attribute__((target("avx2,fma")))
#define DG_VNNI __attribute__((target("avx512f,avx512vl,avx512bw,avx512vnni")))

static int32_t dg_four(const uint8_t *from) {
    int32_t four;
    memcpy(&four, from, sizeof four);
    return four;
}

/* Pairs of products fit into 16 bits, since no weight is over 64. */
#define DG_ADD_AVX2(x, low, high)                                                                         \
    low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_maddubs_epi16(x, first), ones)),                 \
    high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_maddubs_epi16(x, second), ones))
#define DG_STORE_AVX2(low, high, to)                                                                      \
    _mm256_storeu_si256((__m256i *)(void *)(to), low), _mm256_storeu_si256((__m256i *)(void *)((to) + 8), high)

DG_AVX2 static void dg_sum_avx2(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours,
                                int32_t channels, int32_t *sums) {
    const __m256i ones = _mm256_set1_epi16(1);
    int32_t p, k;
    (void)channels;
    for (p = 0; p < n; p += 4) {
        const uint8_t *x0 = pixels + (size_t)p * stride, *x1 = p + 1 < n ? x0 + stride : x0;
        const uint8_t *x2 = p + 2 < n ? x1 + stride : x0, *x3 = p + 3 < n ? x2 + stride : x0;
        const int8_t *w = weights;
        int32_t *to = sums + DG_BLOCK * p;
        __m256i low0 = _mm256_setzero_si256(), low1 = low0, low2 = low0, low3 = low0;
        __m256i high0 = low0, high1 = low0, high2 = low0, high3 = low0;
        for (k = 0; k < fours; k++, w += 4 * DG_BLOCK) {
            __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)w), x;
            __m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(w + 32));
            x = _mm256_set1_epi32(dg_four(x0 + 4 * k)), DG_ADD_AVX2(x, low0, high0);
            x = _mm256_set1_epi32(dg_four(x1 + 4 * k)), DG_ADD_AVX2(x, low1, high1);
            x = _mm256_set1_epi32(dg_four(x2 + 4 * k)), DG_ADD_AVX2(x, low2, high2);
            x = _mm256_set1_epi32(dg_four(x3 + 4 * k)), DG_ADD_AVX2(x, low3, high3);
        }
        DG_STORE_AVX2(low0, high0, to);
        if (p + 1 < n) DG_STORE_AVX2(low1, high1, to + DG_BLOCK);
        if (p + 2 < n) DG_STORE_AVX2(low2, high2, to + 2 * DG_BLOCK);
        if (p + 3 < n) DG_STORE_AVX2(low3, high3, to + 3 * DG_BLOCK);
    }
}

DG_AVX2 static void dg_add_avx2(const uint8_t *a, const uint8_t *b, size_t count, float first, float second,
                                float constant, uint8_t *to) {
    const __m256 times = _mm256_set1_ps(first), other = _mm256_set1_ps(second), plus = _mm256_set1_ps(constant);
    size_t at;
    for (at = 0; at + 8 <= count; at += 8) {
        __m256i x = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(a + at)));
        __m256i y = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(b + at)));
        __m256 sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(x), times, _mm256_fmadd_ps(_mm256_cvtepi32_ps(y), other, plus));
        __m256i steps = _mm256_cvtps_epi32(sum);
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(steps), _mm256_extracti128_si256(steps, 1));
        _mm_storel_epi64((__m128i *)(void *)(to + at), _mm_packus_epi16(words, words));
    }
    dg_add_plain(a + at, b + at, count - at, first, second, constant, to + at);
}

DG_VNNI static void dg_sum_vnni(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours,
                                int32_t channels, int32_t *sums) {
    int32_t p, k;
    (void)channels;
#define DG_STEP_VNNI(i) s##i = _mm512_dpbusd_epi32(s##i, _mm512_set1_epi32(dg_four(x##i + 4 * k)), w)
#define DG_BEHIND_VNNI(i, before) *x##i = p + i < n ? x##before + stride : x0
    for (p = 0; p < n; p += 8) { /* the sums of pixels behind the last one are not used */
        const uint8_t *x0 = pixels + (size_t)p * stride, DG_BEHIND_VNNI(1, 0), DG_BEHIND_VNNI(2, 1), DG_BEHIND_VNNI(3, 2);
        int32_t *to = sums + DG_BLOCK * p;
        __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
        if (n - p > 4) {
            const uint8_t DG_BEHIND_VNNI(4, 3), DG_BEHIND_VNNI(5, 4), DG_BEHIND_VNNI(6, 5), DG_BEHIND_VNNI(7, 6);
            __m512i s4 = s0, s5 = s0, s6 = s0, s7 = s0;
            for (k = 0; k < fours; k++) {
                __m512i w = _mm512_loadu_si512(weights + 64 * k);
                DG_STEP_VNNI(0), DG_STEP_VNNI(1), DG_STEP_VNNI(2), DG_STEP_VNNI(3);
                DG_STEP_VNNI(4), DG_STEP_VNNI(5), DG_STEP_VNNI(6), DG_STEP_VNNI(7);
            }
            _mm512_storeu_si512(to + 64, s4), _mm512_storeu_si512(to + 80, s5);
            _mm512_storeu_si512(to + 96, s6), _mm512_storeu_si512(to + 112, s7);
        } else if (n - p > 1) {
            for (k = 0; k < fours; k++) {
                __m512i w = _mm512_loadu_si512(weights + 64 * k);
                DG_STEP_VNNI(0), DG_STEP_VNNI(1), DG_STEP_VNNI(2), DG_STEP_VNNI(3);
            }
        } else {
            for (k = 0; k < fours; k++) {
                __m512i w = _mm512_loadu_si512(weights + 64 * k);
                DG_STEP_VNNI(0);
            }
        }
        _mm512_storeu_si512(to, s0);
        _mm512_storeu_si512(to + 16, s1), _mm512_storeu_si512(to + 32, s2), _mm512_storeu_si512(to + 48, s3);
    }
#undef DG_BEHIND_VNNI
#undef DG_STEP_VNNI
}

DG_VNNI static void dg_requantise_vnni(const int32_t *sums, const int32_t *bias, const float *scale,
                                       const int16_t *zero, uint8_t *to) {
    __m512i sum = _mm512_add_epi32(_mm512_loadu_si512(sums), _mm512_loadu_si512(bias));
    __m512i steps = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(scale)));
    __m256i words = _mm256_adds_epi16(_mm512_cvtsepi32_epi16(steps), _mm256_loadu_si256((const __m256i *)(const void *)zero));
    __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128((__m128i *)(void *)to, bytes);
}
#endif

#if defined(DG_WASM)
#include <wasm_simd128.h>

/* Bytes become int16. */
static void dg_widen_wasm(const uint8_t *from, size_t count, uint8_t *to) {
    size_t at;
    for (at = 0; at < count; at += 8) wasm_v128_store(to + 2 * at, wasm_u16x8_load8x8(from + at));
}

/* Four pixels twice, which multiply the weights of two channels. */
#define DG_PAIR_WASM(pixel, low, high)                         \
    x = wasm_v128_load64_splat(pixel + 8 * k);                 \
    low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(x, first)); \
    high = wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(x, second))

static void dg_store_wasm(v128_t low, v128_t high, int32_t *to) {
    wasm_v128_store(to, wasm_i32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6), wasm_i32x4_shuffle(low, high, 1, 3, 5, 7)));
}

static void dg_sum_wasm(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours,
                        int32_t channels, int32_t *sums) {
    int32_t channel, p, k;
    for (channel = 0; channel < channels; channel += 4) {
        for (p = 0; p < n; p += 4) {
            const uint8_t *x0 = pixels + (size_t)p * stride, *x1 = p + 1 < n ? x0 + stride : x0;
            const uint8_t *x2 = p + 2 < n ? x1 + stride : x0, *x3 = p + 3 < n ? x2 + stride : x0;
            const int8_t *w = weights + 4 * channel;
            int32_t *to = sums + DG_BLOCK * p + channel;
            v128_t low0 = wasm_i32x4_const_splat(0), low1 = low0, low2 = low0, low3 = low0;
            v128_t high0 = low0, high1 = low0, high2 = low0, high3 = low0;
            for (k = 0; k < fours; k++, w += 4 * DG_BLOCK) {
                v128_t packed = wasm_v128_load(w), x;
                v128_t first = wasm_i16x8_extend_low_i8x16(packed), second = wasm_i16x8_extend_high_i8x16(packed);
                DG_PAIR_WASM(x0, low0, high0);
                DG_PAIR_WASM(x1, low1, high1);
                DG_PAIR_WASM(x2, low2, high2);
                DG_PAIR_WASM(x3, low3, high3);
            }
            dg_store_wasm(low0, high0, to);
            if (p + 1 < n) dg_store_wasm(low1, high1, to + DG_BLOCK);
            if (p + 2 < n) dg_store_wasm(low2, high2, to + 2 * DG_BLOCK);
            if (p + 3 < n) dg_store_wasm(low3, high3, to + 3 * DG_BLOCK);
        }
    }
}

/* Products of a byte and a weight fit into 16 bits. */
static void dg_sum_each_wasm(const uint8_t *const *taps, int32_t count, size_t first_channel, const int8_t *weights,
                             size_t stride, int32_t *sums) {
    v128_t s0 = wasm_i32x4_const_splat(0), s1 = s0, s2 = s0, s3 = s0;
    int32_t tap;
    for (tap = 0; tap < count; tap++) {
        v128_t x = wasm_v128_load(taps[tap] + first_channel), w = wasm_v128_load(weights + (size_t)tap * stride);
        v128_t low = wasm_i16x8_mul(wasm_u16x8_extend_low_u8x16(x), wasm_i16x8_extend_low_i8x16(w));
        v128_t high = wasm_i16x8_mul(wasm_u16x8_extend_high_u8x16(x), wasm_i16x8_extend_high_i8x16(w));
        s0 = wasm_i32x4_add(s0, wasm_i32x4_extend_low_i16x8(low));
        s1 = wasm_i32x4_add(s1, wasm_i32x4_extend_high_i16x8(low));
        s2 = wasm_i32x4_add(s2, wasm_i32x4_extend_low_i16x8(high));
        s3 = wasm_i32x4_add(s3, wasm_i32x4_extend_high_i16x8(high));
    }
    wasm_v128_store(sums, s0);
    wasm_v128_store(sums + 4, s1);
    wasm_v128_store(sums + 8, s2);
    wasm_v128_store(sums + 12, s3);
}

static v128_t dg_steps_wasm(const int32_t *sums, const int32_t *bias, const float *scale) {
    v128_t sum = wasm_f32x4_convert_i32x4(wasm_i32x4_add(wasm_v128_load(sums), wasm_v128_load(bias)));
    return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(wasm_f32x4_mul(sum, wasm_v128_load(scale))));
}

static void dg_requantise_wasm(const int32_t *sums, const int32_t *bias, const float *scale, const int16_t *zero,
                               uint8_t *to) {
    v128_t low = wasm_i16x8_narrow_i32x4(dg_steps_wasm(sums, bias, scale), dg_steps_wasm(sums + 4, bias + 4, scale + 4));
    v128_t high = wasm_i16x8_narrow_i32x4(dg_steps_wasm(sums + 8, bias + 8, scale + 8),
                                          dg_steps_wasm(sums + 12, bias + 12, scale + 12));
    low = wasm_i16x8_add_sat(low, wasm_v128_load(zero));
    high = wasm_i16x8_add_sat(high, wasm_v128_load(zero + 8));
    wasm_v128_store(to, wasm_u8x16_narrow_i16x8(low, high));
}

/* dg_fused of two bytes, which lie in the low half as int32. */
static v128_t dg_fused_wasm(v128_t bytes, double factor, v128_t plus) {
    return wasm_f32x4_demote_f64x2_zero(
        wasm_f64x2_add(wasm_f64x2_mul(wasm_f64x2_convert_low_i32x4(bytes), wasm_f64x2_splat(factor)), plus));
}

/* Two bytes of dg_add_plain, before they are clamped, as int32. */
static v128_t dg_added_wasm(v128_t a, v128_t b, float first, float second, float constant) {
    v128_t inner = dg_fused_wasm(b, (double)second, wasm_f64x2_splat((double)constant));
    v128_t sum = dg_fused_wasm(a, (double)first, wasm_f64x2_promote_low_f32x4(inner));
    return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(sum));
}

static void dg_add_wasm(const uint8_t *a, const uint8_t *b, size_t count, float first, float second, float constant,
                        uint8_t *to) {
    size_t at;
    for (at = 0; at + 8 <= count; at += 8) {
        v128_t x = wasm_u16x8_load8x8(a + at), y = wasm_u16x8_load8x8(b + at), sums[4];
        v128_t x0 = wasm_u32x4_extend_low_u16x8(x), x1 = wasm_u32x4_extend_high_u16x8(x);
        v128_t y0 = wasm_u32x4_extend_low_u16x8(y), y1 = wasm_u32x4_extend_high_u16x8(y);
        sums[0] = dg_added_wasm(x0, y0, first, second, constant);
        sums[1] = dg_added_wasm(wasm_i64x2_shuffle(x0, x0, 1, 1), wasm_i64x2_shuffle(y0, y0, 1, 1), first, second, constant);
        sums[2] = dg_added_wasm(x1, y1, first, second, constant);
        sums[3] = dg_added_wasm(wasm_i64x2_shuffle(x1, x1, 1, 1), wasm_i64x2_shuffle(y1, y1, 1, 1), first, second, constant);
        x = wasm_i16x8_narrow_i32x4(wasm_i64x2_shuffle(sums[0], sums[1], 0, 2), wasm_i64x2_shuffle(sums[2], sums[3], 0, 2));
        wasm_v128_store64_lane(to + at, wasm_u8x16_narrow_i16x8(x, x), 0);
    }
    dg_add_plain(a + at, b + at, count - at, first, second, constant, to + at);
}
#endif

#if defined(DG_NEON)
#include <arm_neon.h>

/* The weights of one of four inputs for 8 channels, times the bytes of 4 pixels. */
#define DG_STEP_NEON(place)                                                                  \
    wide = vmovl_s8(w.val[place]);                                                           \
    low0 = vmlal_lane_s16(low0, vget_low_s16(wide), x0, place);                              \
    high0 = vmlal_lane_s16(high0, vget_high_s16(wide), x0, place);                           \
    low1 = vmlal_lane_s16(low1, vget_low_s16(wide), x1, place);                              \
    high1 = vmlal_lane_s16(high1, vget_high_s16(wide), x1, place);                           \
    low2 = vmlal_lane_s16(low2, vget_low_s16(wide), x2, place);                              \
    high2 = vmlal_lane_s16(high2, vget_high_s16(wide), x2, place);                           \
    low3 = vmlal_lane_s16(low3, vget_low_s16(wide), x3, place);                              \
    high3 = vmlal_lane_s16(high3, vget_high_s16(wide), x3, place)
#define DG_STORE_NEON(low, high, to) vst1q_s32(to, low), vst1q_s32((to) + 4, high)

/* Four bytes as int16. */
static int16x4_t dg_four_neon(const uint8_t *from) {
    return vreinterpret_s16_u16(vget_low_u16(vmovl_u8(vld1_u8(from))));
}

static void dg_sum_neon(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours,
                        int32_t channels, int32_t *sums) {
    int32_t channel, p, k;
    for (p = 0; p < n; p += 4) {
        const uint8_t *from0 = pixels + (size_t)p * stride, *from1 = p + 1 < n ? from0 + stride : from0;
        const uint8_t *from2 = p + 2 < n ? from1 + stride : from0, *from3 = p + 3 < n ? from2 + stride : from0;
        for (channel = 0; channel < channels; channel += 8) {
            int32_t *to = sums + DG_BLOCK * p + channel;
            int32x4_t low0 = vdupq_n_s32(0), low1 = low0, low2 = low0, low3 = low0;
            int32x4_t high0 = low0, high1 = low0, high2 = low0, high3 = low0;
            for (k = 0; k < fours; k++) {
                int8x8x4_t w = vld4_s8(weights + 4 * (DG_BLOCK * k + channel));
                int16x4_t x0 = dg_four_neon(from0 + 4 * k), x1 = dg_four_neon(from1 + 4 * k);
                int16x4_t x2 = dg_four_neon(from2 + 4 * k), x3 = dg_four_neon(from3 + 4 * k);
                int16x8_t wide;
                DG_STEP_NEON(0);
                DG_STEP_NEON(1);
                DG_STEP_NEON(2);
                DG_STEP_NEON(3);
            }
            DG_STORE_NEON(low0, high0, to);
            if (p + 1 < n) DG_STORE_NEON(low1, high1, to + DG_BLOCK);
            if (p + 2 < n) DG_STORE_NEON(low2, high2, to + 2 * DG_BLOCK);
            if (p + 3 < n) DG_STORE_NEON(low3, high3, to + 3 * DG_BLOCK);
        }
    }
}

static void dg_sum_each_neon(const uint8_t *const *taps, int32_t count, size_t first_channel, const int8_t *weights,
                             size_t stride, int32_t *sums) {
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
    int32_t tap;
    for (tap = 0; tap < count; tap++) {
        uint8x16_t x = vld1q_u8(taps[tap] + first_channel);
        int8x16_t w = vld1q_s8(weights + (size_t)tap * stride);
        int16x8_t x_low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x))), w_low = vmovl_s8(vget_low_s8(w));
        int16x8_t x_high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(x))), w_high = vmovl_s8(vget_high_s8(w));
        s0 = vmlal_s16(s0, vget_low_s16(x_low), vget_low_s16(w_low));
        s1 = vmlal_s16(s1, vget_high_s16(x_low), vget_high_s16(w_low));
        s2 = vmlal_s16(s2, vget_low_s16(x_high), vget_low_s16(w_high));
        s3 = vmlal_s16(s3, vget_high_s16(x_high), vget_high_s16(w_high));
    }
    DG_STORE_NEON(s0, s1, sums);
    DG_STORE_NEON(s2, s3, sums + 8);
}

/* Whole numbers, of two equally near ones the even one; saturated to int16. */
static int16x4_t dg_whole_neon(float32x4_t value) {
#if defined(__aarch64__)
    return vqmovn_s32(vcvtnq_s32_f32(value));
#else
    return vqmovn_s32(vcvtq_s32_f32(vsubq_f32(vaddq_f32(value, vdupq_n_f32(DG_ROUNDING)), vdupq_n_f32(DG_ROUNDING))));
#endif
}

static int16x4_t dg_steps_neon(const int32_t *sums, const int32_t *bias, const float *scale) {
    return dg_whole_neon(vmulq_f32(vcvtq_f32_s32(vaddq_s32(vld1q_s32(sums), vld1q_s32(bias))), vld1q_f32(scale)));
}

static void dg_requantise_neon(const int32_t *sums, const int32_t *bias, const float *scale, const int16_t *zero,
                               uint8_t *to) {
    int16x8_t low = vcombine_s16(dg_steps_neon(sums, bias, scale), dg_steps_neon(sums + 4, bias + 4, scale + 4));
    int16x8_t high = vcombine_s16(dg_steps_neon(sums + 8, bias + 8, scale + 8),
                                  dg_steps_neon(sums + 12, bias + 12, scale + 12));
    low = vqaddq_s16(low, vld1q_s16(zero));
    high = vqaddq_s16(high, vld1q_s16(zero + 8));
    vst1q_u8(to, vcombine_u8(vqmovun_s16(low), vqmovun_s16(high)));
}

#if defined(__ARM_FEATURE_FMA)
static void dg_add_neon(const uint8_t *a, const uint8_t *b, size_t count, float first, float second, float constant,
                        uint8_t *to) {
    const float32x4_t times = vdupq_n_f32(first), other = vdupq_n_f32(second), plus = vdupq_n_f32(constant);
    size_t at;
    for (at = 0; at + 8 <= count; at += 8) {
        uint16x8_t x = vmovl_u8(vld1_u8(a + at)), y = vmovl_u8(vld1_u8(b + at));
        float32x4_t x0 = vcvtq_f32_u32(vmovl_u16(vget_low_u16(x))), x1 = vcvtq_f32_u32(vmovl_u16(vget_high_u16(x)));
        float32x4_t y0 = vcvtq_f32_u32(vmovl_u16(vget_low_u16(y))), y1 = vcvtq_f32_u32(vmovl_u16(vget_high_u16(y)));
        int16x4_t low = dg_whole_neon(vfmaq_f32(vfmaq_f32(plus, y0, other), x0, times));
        int16x4_t high = dg_whole_neon(vfmaq_f32(vfmaq_f32(plus, y1, other), x1, times));
        vst1_u8(to + at, vqmovun_s16(vcombine_s16(low, high)));
    }
    dg_add_plain(a + at, b + at, count - at, first, second, constant, to + at);
}
#else
#define dg_add_neon dg_add_plain
#endif
#endif

#if defined(DG_NEON) && defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
#if defined(__ARM_FEATURE_MATMUL_INT8)
#define DG_DOT(sum, w, x) sum = vusdotq_s32(sum, vreinterpretq_u8_s32(x), w)
#define DG_TAKEN 0 /* what is taken from each byte, to be added again */
#else
#define DG_DOT(sum, w, x) sum = vdotq_s32(sum, w, veorq_s8(vreinterpretq_s8_s32(x), vdupq_n_s8(-128)))
#define DG_TAKEN 128
#endif
#define DG_STEP_DOT(i)                                            \
    x = vdupq_n_s32(dg_four(from##i + 4 * k));                    \
    DG_DOT(a##i, w0, x), DG_DOT(b##i, w1, x), DG_DOT(c##i, w2, x), DG_DOT(d##i, w3, x)
#define DG_STORE_DOT(i, to) DG_STORE_NEON(a##i, b##i, to), DG_STORE_NEON(c##i, d##i, (to) + 8)

static int32_t dg_four(const uint8_t *from) {
    int32_t four;
    memcpy(&four, from, sizeof four);
    return four;
}

static void dg_sum_dot(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours,
                       int32_t channels, int32_t *sums) {
    int32x4_t a = vdupq_n_s32(0), b = a, c = a, d = a;
    int32_t p, k;
    (void)channels;
    for (k = 0; k < fours && DG_TAKEN; k++) {
        const int8_t *w = weights + 64 * k;
        int8x16_t taken = vdupq_n_s8(DG_TAKEN / 2);
        a = vdotq_s32(a, vld1q_s8(w), taken), b = vdotq_s32(b, vld1q_s8(w + 16), taken);
        c = vdotq_s32(c, vld1q_s8(w + 32), taken), d = vdotq_s32(d, vld1q_s8(w + 48), taken);
    }
    a = vaddq_s32(a, a), b = vaddq_s32(b, b), c = vaddq_s32(c, c), d = vaddq_s32(d, d);
    for (p = 0; p < n; p += 4) {
        const uint8_t *from0 = pixels + (size_t)p * stride, *from1 = p + 1 < n ? from0 + stride : from0;
        const uint8_t *from2 = p + 2 < n ? from1 + stride : from0, *from3 = p + 3 < n ? from2 + stride : from0;
        int32_t *to = sums + DG_BLOCK * p;
        int32x4_t a0 = a, a1 = a, a2 = a, a3 = a, b0 = b, b1 = b, b2 = b, b3 = b;
        int32x4_t c0 = c, c1 = c, c2 = c, c3 = c, d0 = d, d1 = d, d2 = d, d3 = d;
        for (k = 0; k < fours; k++) {
            const int8_t *w = weights + 64 * k;
            int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16), w2 = vld1q_s8(w + 32), w3 = vld1q_s8(w + 48);
            int32x4_t x;
            DG_STEP_DOT(0);
            DG_STEP_DOT(1);
            DG_STEP_DOT(2);
            DG_STEP_DOT(3);
        }
        DG_STORE_DOT(0, to);
        if (p + 1 < n) DG_STORE_DOT(1, to + DG_BLOCK);
        if (p + 2 < n) DG_STORE_DOT(2, to + 2 * DG_BLOCK);
        if (p + 3 < n) DG_STORE_DOT(3, to + 3 * DG_BLOCK);
    }
}
#define DG_DOTS 1
#endif

#if defined(DG_DSP)

/* Bytes 0 and 2 of a word as two int16, without and with a sign; bytes 1 and 3; and products of such pairs. */
#define DG_ONE_DSP(name, instruction)                                     \
    static uint32_t name(uint32_t word) {                                 \
        uint32_t pair;                                                    \
        __asm(instruction : "=r"(pair) : "r"(word));                      \
        return pair;                                                      \
    }
#define DG_SUM_DSP(name, instruction)                                     \
    static int32_t name(int32_t sum, uint32_t one, uint32_t other) {      \
        __asm(instruction " %0, %1, %2, %0" : "+r"(sum) : "r"(one), "r"(other)); \
        return sum;                                                       \
    }
DG_ONE_DSP(dg_uxtb16, "uxtb16 %0, %1")
DG_ONE_DSP(dg_uxtb16_8, "uxtb16 %0, %1, ror #8")
DG_ONE_DSP(dg_sxtb16, "sxtb16 %0, %1")
DG_ONE_DSP(dg_sxtb16_8, "sxtb16 %0, %1, ror #8")
DG_SUM_DSP(dg_smlad, "smlad")
DG_SUM_DSP(dg_smlabb, "smlabb")
DG_SUM_DSP(dg_smlatt, "smlatt")

static uint32_t dg_word(const void *from) {
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

/* Two pixels and two channels at once, which is what the registers hold. */
static void dg_sum_dsp(const uint8_t *pixels, size_t stride, int32_t n, const int8_t *weights, int32_t fours,
                       int32_t channels, int32_t *sums) {
    int32_t p, channel;
    for (p = 0; p < n; p += 2) {
        for (channel = 0; channel < channels; channel += 2) {
            const uint8_t *first = pixels + (size_t)p * stride, *second = p + 1 < n ? first + stride : first;
            const uint8_t *end = first + 4 * fours;
            const int8_t *w = weights + 4 * channel;
            int32_t *to = sums + DG_BLOCK * p + channel;
            int32_t a0 = 0, a1 = 0, b0 = 0, b1 = 0;
            for (; first < end; first += 4, second += 4, w += 4 * DG_BLOCK) {
                uint32_t a_even = dg_uxtb16(dg_word(first)), a_odd = dg_uxtb16_8(dg_word(first));
                uint32_t b_even = dg_uxtb16(dg_word(second)), b_odd = dg_uxtb16_8(dg_word(second));
                uint32_t even = dg_sxtb16(dg_word(w)), odd = dg_sxtb16_8(dg_word(w));
                a0 = dg_smlad(dg_smlad(a0, even, a_even), odd, a_odd);
                b0 = dg_smlad(dg_smlad(b0, even, b_even), odd, b_odd);
                even = dg_sxtb16(dg_word(w + 4)), odd = dg_sxtb16_8(dg_word(w + 4));
                a1 = dg_smlad(dg_smlad(a1, even, a_even), odd, a_odd);
                b1 = dg_smlad(dg_smlad(b1, even, b_even), odd, b_odd);
            }
            to[0] = a0, to[1] = a1;
            if (p + 1 < n) to[DG_BLOCK] = b0, to[DG_BLOCK + 1] = b1;
        }
    }
}

static void dg_sum_each_dsp(const uint8_t *const *taps, int32_t count, size_t first_channel, const int8_t *weights,
                            size_t stride, int32_t *sums) {
    int32_t tap, channel;
    for (channel = 0; channel < DG_BLOCK; channel += 4, sums += 4) {
        size_t from = first_channel + (size_t)channel;
        const int8_t *w = weights + channel;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (tap = 0; tap < count; tap++, w += stride) {
            uint32_t word = dg_word(taps[tap] + from), four = dg_word(w);
            s0 = dg_smlabb(s0, dg_sxtb16(four), dg_uxtb16(word));
            s1 = dg_smlabb(s1, dg_sxtb16_8(four), dg_uxtb16_8(word));
            s2 = dg_smlatt(s2, dg_sxtb16(four), dg_uxtb16(word));
            s3 = dg_smlatt(s3, dg_sxtb16_8(four), dg_uxtb16_8(word));
        }
        sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
    }
}
#endif

/* The first one that is supported is taken; the last one always is. */
static const struct dg_kernels DG_KERNELS[] = {
#if defined(DG_SSE2) && defined(__GNUC__)
    {"avx512-vnni", 16, 1, dg_has_vnni, NULL, dg_sum_vnni, dg_sum_each_sse2, dg_requantise_vnni, dg_add_avx2},
    {"avx2", 16, 1, dg_has_avx2, NULL, dg_sum_avx2, dg_sum_each_sse2, dg_requantise_sse2, dg_add_avx2},
#endif
#if defined(DG_SSE2)
    {"sse2", 8, 4, dg_always, dg_widen_sse2, dg_sum_sse2, dg_sum_each_sse2, dg_requantise_sse2, dg_add_plain},
#endif
#if defined(DG_WASM)
    {"wasm", 8, 2, dg_always, dg_widen_wasm, dg_sum_wasm, dg_sum_each_wasm, dg_requantise_wasm, dg_add_wasm},
#endif
#if defined(DG_DOTS)
    {"neon-dot", 8, 1, dg_always, NULL, dg_sum_dot, dg_sum_each_neon, dg_requantise_neon, dg_add_neon},
#endif
#if defined(DG_NEON)
    {"neon", 8, 1, dg_always, NULL, dg_sum_neon, dg_sum_each_neon, dg_requantise_neon, dg_add_neon},
#endif
#if defined(DG_DSP)
    {"dsp", 2, 1, dg_always, NULL, dg_sum_dsp, dg_sum_each_dsp, dg_requantise_plain, dg_add_plain},
#endif
#if defined(DG_PLAIN)
    {"plain", 2, 1, dg_always, NULL, dg_sum_plain, dg_sum_each_plain, dg_requantise_plain, dg_add_plain},
#endif
};
#define DG_KERNEL_COUNT ((int32_t)(sizeof DG_KERNELS / sizeof DG_KERNELS[0]))

const char *dg_kernels_name(int32_t number) {
    return number < 0 || number >= DG_KERNEL_COUNT || !DG_KERNELS[number].is_supported() ? NULL
                                                                                        : DG_KERNELS[number].name;
}

int32_t dg_kernels_count(void) { return DG_KERNEL_COUNT; }

static const struct dg_kernels *dg_kernels(int32_t number) {
    if (number >= 0) return &DG_KERNELS[number];
    for (number = 0; !DG_KERNELS[number].is_supported();) number++;
    return &DG_KERNELS[number];
}

/* --- The plan: the size of each layer, and where it lies ------------------------------------------------------------ */

/* A network is a list of jobs, of which each computes a layer. They are done in chains. Within a chain rows are computed as
 * soon as the rows that they need are there, and only the rows that are needed yet are held; all rows of its last job are
 * held until the last job that takes them is done. The first chain may flow: in steps, in each of which every job computes
 * a few rows; jobs of that chain may take several others of it. Memory is used again for jobs that are held at other times.
 *
 * A plan may save memory at the cost of time: layers that a later one takes again are computed once more, as two jobs, and
 * additions follow their convolution row by row, over the other input. */
struct dg_job {
    const struct dg_layer *layer;
    size_t row_bytes;
    size_t offset;         /* bytes from the start of the working memory */
    int32_t rows, columns;
    int32_t kept;          /* rows that are held at once; others are overwritten */
    int16_t rate;          /* of a flowing chain: rows that are computed in a step */
    int16_t lag;           /* rows that it is behind these; of an addition in a chain: behind its input */
    uint8_t inputs[DG_MAX_INPUTS]; /* earlier jobs */
    uint8_t users;         /* how many jobs take it */
    uint8_t last_user;     /* the last one of these */
    uint8_t is_end;        /* it gives an output of the network */
    uint8_t chain_end;     /* the last job of its chain */
    uint8_t over;          /* the job whose rows it overwrites; itself: none */
    uint8_t from, until;   /* the jobs during which it is held */
};

struct dg_plan {
    const struct dg_network *network;
    const struct dg_kernels *kernels;
    int32_t rows, columns; /* of the network's input */
    int32_t count;  /* of the jobs */
    int32_t steps;  /* of a flowing chain; 0: no chain flows */
    size_t working; /* bytes of working memory for all jobs */
    size_t scratch; /* bytes that are needed within a job */
    size_t outputs; /* bytes of the network's outputs, which lie at the start of the working memory */
    struct dg_job jobs[DG_MAX_LAYERS];
};

static int32_t dg_extent(int32_t kernel, int32_t dilation) { return (kernel - 1) * dilation + 1; }

static size_t dg_padded(size_t count) { return (count + 15) / 16 * 16; }

/* Bytes under the kernel of a convolution. */
static size_t dg_window(const struct dg_layer *layer) {
    return (size_t)(layer->kernel_rows * layer->kernel_columns * layer->channels_in);
}

static size_t dg_job_bytes(const struct dg_job *job) { return DG_BYTES((size_t)job->kept * job->row_bytes); }

/* Rows and columns of a job's output. */
DG_SMALL DG_APART static void dg_plan_sides(const struct dg_plan *plan, struct dg_job *job) {
    const struct dg_layer *layer = job->layer;
    const struct dg_job *in = &plan->jobs[job->inputs[0]];
    if (layer->kind == DG_INPUT) {
        job->rows = plan->rows;
        job->columns = plan->columns;
    } else if (layer->kind == DG_ADD || layer->kind == DG_CONCATENATE) {
        job->rows = in->rows << layer->shift[0];
        job->columns = in->columns << layer->shift[0];
    } else {
        int32_t high = dg_extent(layer->kernel_rows, layer->dilation_rows);
        int32_t wide = dg_extent(layer->kernel_columns, layer->dilation_columns);
        job->rows = (in->rows + layer->top + layer->bottom - high) / layer->stride_rows + 1;
        job->columns = (in->columns + layer->left + layer->right - wide) / layer->stride_columns + 1;
    }
    job->row_bytes = (size_t)job->columns * (size_t)layer->channels_out * (layer->is_float ? sizeof(float) : 1);
}

/* Adds a layer to the jobs. job_of: the last job of each layer. */
DG_SMALL static void dg_add_job(int32_t layer, uint8_t *job_of, struct dg_plan *plan) {
    const struct dg_network *network = plan->network;
    int32_t number = plan->count++, place;
    struct dg_job *job = &plan->jobs[number];
    job->layer = &network->layers[layer];
    job->last_user = job->over = (uint8_t)number;
    job->users = job->is_end = job->inputs[0] = 0;
    for (place = 0; place < network->end_count; place++)
        job->is_end |= network->ends[place].layer == layer;
    for (place = 0; place < job->layer->input_count; place++) {
        uint8_t in = job_of[job->layer->inputs[place]];
        job->inputs[place] = in;
        plan->jobs[in].last_user = (uint8_t)number;
        plan->jobs[in].users++;
    }
    job_of[layer] = (uint8_t)number;
}

DG_SMALL static size_t dg_scratch_bytes(const struct dg_layer *layer, const struct dg_kernels *kernels) {
    size_t group = (size_t)kernels->group, window = dg_padded(dg_window(layer)), bytes;
    if (layer->kind == DG_DEPTHWISE) return DG_BYTES(dg_padded((size_t)layer->channels_in));
    if (layer->kind != DG_CONVOLUTION) return 0;
    bytes = DG_BYTES(window * group + DG_BLOCK) + DG_BYTES(sizeof(int32_t) * DG_BLOCK * group);
    return kernels->width > 1 ? bytes + DG_BYTES(window * kernels->width * group) : bytes;
}

/* Where jobs from `first` on have their chains: a job is in the chain of the next one, if that alone takes it and takes few
 * rows at a time, and if a later one of the chain takes no more memory. Rows of a chain have `columns` pixels at least: of
 * fewer the kernels, which take several pixels at once, would make little use. */
DG_SMALL static void dg_plan_chains(int32_t first, int is_small, int32_t columns, struct dg_plan *plan) {
    int32_t number;
    size_t least = (size_t)-1; /* bytes of the chain behind the job */
    for (number = plan->count - 1; number >= first; number--) {
        struct dg_job *job = &plan->jobs[number];
        size_t bytes = (size_t)job->rows * job->row_bytes;
        int follows = job->users == 1 && job->last_user == number + 1 && !job->is_end && least <= bytes &&
                      job->layer->kind != DG_ADD; /* which may lie over its input */
        if (follows && (is_small || (job[1].layer->input_count == 1 && job[1].columns >= columns))) {
            job->chain_end = job[1].chain_end;
        } else {
            job->chain_end = (uint8_t)number;
            least = (size_t)-1;
        }
        if (bytes < least) least = bytes;
    }
}

/* Whether an addition may be written over an input, whose rows nothing needs any more: the first job of its chain may need
 * them while it is behind, which sets the addition's lag. */
DG_SMALL static int dg_is_over(struct dg_plan *plan, int32_t start, int32_t number, int32_t in) {
    int32_t other, place;
    plan->jobs[number].lag = 0;
    if (in >= start || plan->jobs[in].last_user != number || plan->jobs[in].is_end) return 0;
    for (other = start; other < number; other++)
        for (place = 0; place < plan->jobs[other].layer->input_count; place++)
            if (plan->jobs[other].inputs[place] == in) {
                const struct dg_layer *layer = plan->jobs[other].layer;
                if (other > start || layer->stride_rows != 1 || plan->jobs[other].rows != plan->jobs[number].rows) return 0;
                plan->jobs[number].lag = layer->top;
            }
    return 1;
}

/* Which rows the jobs of a chain hold, and when. */
DG_SMALL static void dg_plan_chain(int32_t start, struct dg_plan *plan) {
    int32_t end = plan->jobs[start].chain_end, number, place;
    for (number = end; number >= start; number--) {
        struct dg_job *job = &plan->jobs[number];
        if (job->layer->kind == DG_ADD)
            for (place = 0; place < DG_MAX_INPUTS && job->over == number; place++)
                if (dg_is_over(plan, start, number, job->inputs[place])) job->over = job->inputs[place];
        job->kept = job->rows;
        job->from = (uint8_t)start;
        job->until = plan->jobs[job->last_user].chain_end;
        if (number < end) {
            const struct dg_layer *next = job[1].layer;
            int32_t needed = dg_extent(next->kernel_rows, next->dilation_rows);
            if (next->kind == DG_ADD) needed = job[1].lag + 1;
            if (needed < job->kept) job->kept = needed;
        }
    }
}

#define DG_MAX_RATE 64 /* rows of the input; strides that do not divide it are not for flowing networks */

/* Rates and lags of the jobs up to `end` if `rows` of the input are taken in a step; whether all rates are whole. */
DG_SMALL static int dg_plan_rates(int32_t rows, int32_t end, struct dg_plan *plan) {
    struct dg_job *job;
    int32_t place, steps;
    plan->jobs[0].rate = (int16_t)rows;
    plan->jobs[0].lag = 0;
    plan->steps = 0;
    for (job = plan->jobs; job <= &plan->jobs[end]; job++) {
        const struct dg_layer *layer = job->layer;
        int32_t stride = layer->stride_rows;
        int32_t below = dg_extent(layer->kernel_rows, layer->dilation_rows) - stride - layer->top;
        for (place = 0; place < layer->input_count; place++) {
            const struct dg_job *in = &plan->jobs[job->inputs[place]];
            int32_t given = in->rate << layer->shift[place], lag = (in->lag << layer->shift[place]) + below;
            lag = lag > 0 ? (lag + stride - 1) / stride : 0;
            if (given % stride || (place && job->rate != given / stride)) return 0;
            job->rate = (int16_t)(given / stride);
            job->lag = (int16_t)(!place || lag > job->lag ? lag : job->lag);
        }
        steps = (job->rows + job->lag + job->rate - 1) / job->rate;
        if (steps > plan->steps) plan->steps = steps;
    }
    return 1;
}

/* Rows of a job that are held at once while its chain flows: those of a step, and those that a later one needs. */
DG_SMALL static int32_t dg_kept_flowing(const struct dg_plan *plan, int32_t number) {
    const struct dg_job *job = &plan->jobs[number], *other;
    int32_t most = 0, place;
    for (other = job + 1; other <= &plan->jobs[job->last_user]; other++)
        for (place = 0; place < other->layer->input_count; place++)
            if (other->inputs[place] == number) {
                int32_t behind = other->lag * other->layer->stride_rows + other->layer->top;
                int32_t shift = other->layer->shift[place];
                behind = ((behind + (1 << shift) - 1) >> shift) - job->lag;
                if (behind > most) most = behind;
            }
    return job->rate + most;
}

/* Plans a flowing chain of the jobs up to `end`; whether it can flow. A step gives each job `pixels` pixels at least. */
DG_SMALL static int dg_plan_flow(int32_t pixels, int32_t end, struct dg_plan *plan) {
    int32_t number, rows = 1, columns = plan->jobs[0].columns;
    for (number = 0; number <= end; number++) {
        if (plan->jobs[number].columns < columns) columns = plan->jobs[number].columns;
        plan->jobs[number].chain_end = (uint8_t)end;
    }
    while (!dg_plan_rates(rows, end, plan))
        if ((rows *= 2) > DG_MAX_RATE) return 0;
    if (!dg_plan_rates(rows * ((pixels + columns - 1) / columns), end, plan)) return 0;
    for (number = 0; number <= end; number++) {
        struct dg_job *job = &plan->jobs[number];
        int32_t kept = dg_kept_flowing(plan, number);
        job->from = 0;
        job->until = plan->jobs[job->last_user].chain_end;
        if (job->last_user > end || job->is_end) { /* it is needed when the chain is done */
            kept = job->rows;
        } else if (kept == job->rate) { /* no row is needed after the step that computes it */
            job->from = (uint8_t)number;
            job->until = job->last_user;
        }
        job->kept = kept < job->rows ? kept : job->rows;
    }
    return 1;
}

/* The first gap between the jobs that are held at the same time and placed already. A chain is placed from its end. */
DG_SMALL static size_t dg_gap(const struct dg_plan *plan, const struct dg_job *job, const struct dg_job *start) {
    size_t bytes = dg_job_bytes(job), offset = 0;
    const struct dg_job *end = &plan->jobs[job->chain_end], *other = plan->jobs;
    while (other < &plan->jobs[plan->count]) {
        int is_placed = other->until == DG_MAX_LAYERS || (other <= end && (other > job || other < start));
        int is_held = other->from <= job->until && job->from <= other->until;
        if (is_placed && is_held && other->offset < offset + bytes && offset < other->offset + dg_job_bytes(other)) {
            offset = other->offset + dg_job_bytes(other);
            other = plan->jobs; /* look at all of them again */
        } else {
            other++;
        }
    }
    return offset;
}

/* Where all jobs lie. */
DG_SMALL static void dg_place_jobs(struct dg_plan *plan) {
    struct dg_job *jobs = plan->jobs, *behind = jobs + plan->count, *start, *end, *job;
    plan->outputs = 0;
    for (job = jobs; job < behind; job++)
        if (job->is_end) {
            job->until = DG_MAX_LAYERS;
            job->offset = plan->outputs;
            plan->outputs += dg_job_bytes(job);
        }
    for (job = behind; job-- > jobs;) /* a place is held as long as what is written over it */
        if (job->until > jobs[job->over].until) jobs[job->over].until = job->until;
    plan->working = plan->outputs;
    for (start = jobs; start < behind; start = end + 1) {
        end = &jobs[start->chain_end];
        for (job = end + 1; job-- > start;) {
            size_t last;
            if (job->until == DG_MAX_LAYERS) continue;
            job->offset = &jobs[job->over] == job ? dg_gap(plan, job, start) : jobs[job->over].offset;
            last = job->offset + dg_job_bytes(job);
            if (last > plan->working) plan->working = last;
        }
    }
}

#define DG_AGAIN 1   /* layers are computed again instead of held */
#define DG_FLOWING 2 /* the first chain flows, up to the layers that are computed again, or to the end */
#define DG_SPARING 4 /* additions follow their convolution row by row */

/* The plan of one kind; whether there is one. */
DG_SMALL static int dg_plan_by(int32_t how, struct dg_plan *plan) {
    const struct dg_network *network = plan->network;
    uint8_t job_of[DG_MAX_LAYERS];
    int32_t number, copy, first = 0, flow_end = network->layer_count - 1;
    int32_t share = how & DG_SPARING ? 4 : 2, pixels = (plan->kernels->group + share - 1) / share; /* at least, in a step */
    plan->count = 0;
    for (number = 0; number < network->layer_count; number++) {
        if (how & DG_AGAIN && number == network->again_for) {
            flow_end = plan->count - 1;
            for (copy = 0; copy <= network->again_last; copy++) dg_add_job(copy, job_of, plan);
        }
        dg_add_job(number, job_of, plan);
    }
    plan->scratch = 0;
    for (number = 0; number < plan->count; number++) {
        size_t scratch = dg_scratch_bytes(plan->jobs[number].layer, plan->kernels);
        if (scratch > plan->scratch) plan->scratch = scratch;
        dg_plan_sides(plan, &plan->jobs[number]);
    }
    plan->steps = 0;
    if (how & DG_FLOWING) first = flow_end + 1;
    dg_plan_chains(first, how & DG_SPARING, pixels, plan);
    if (first && !dg_plan_flow(pixels, flow_end, plan)) return 0;
    for (number = first; number < plan->count; number = plan->jobs[number].chain_end + 1) dg_plan_chain(number, plan);
    dg_place_jobs(plan);
    plan->working += DG_BLOCK; /* whole blocks are read, also beyond the end of a layer */
    return 1;
}

static size_t dg_plan_bytes(const struct dg_plan *plan) { return DG_BYTES(plan->working) + DG_BYTES(plan->scratch); }

/* The plan that takes least memory, of those that take least time, or of those that save memory. */
DG_SMALL static void dg_best_plan(int is_small, struct dg_plan *plan) {
    int32_t first = !is_small ? 0 : plan->network->again_for ? DG_SPARING | DG_AGAIN : DG_SPARING, best = first, how;
    size_t least = (size_t)-1;
    for (how = first; how <= (first | DG_FLOWING); how += DG_FLOWING)
        if (dg_plan_by(how, plan) && dg_plan_bytes(plan) < least) {
            least = dg_plan_bytes(plan);
            best = how;
        }
    dg_plan_by(best, plan);
}

DG_SMALL static void dg_begin_plan(int32_t kernels, const struct dg_network *network, int32_t rows, int32_t columns,
                                   struct dg_plan *plan) {
    plan->network = network;
    plan->kernels = dg_kernels(kernels);
    plan->rows = rows;
    plan->columns = columns;
}

/* --- Layers ------------------------------------------------------------------------------------------------------- */

struct dg_state {
    const struct dg_source *source;
    struct dg_plan plan;
    unsigned char *working, *scratch;
};

DG_APART static unsigned char *dg_row(const struct dg_state *state, const struct dg_job *job, int32_t row) {
    return state->working + job->offset + (size_t)(row % job->kept) * job->row_bytes;
}

static const struct dg_job *dg_input(const struct dg_state *state, const struct dg_job *job, int32_t place) {
    return &state->plan.jobs[job->inputs[place]];
}

/* Copies in pieces of 16 bytes, up to 15 more than asked for. */
static void dg_copy(uint8_t *to, const uint8_t *from, size_t count) {
    size_t at;
    for (at = 0; at < count; at += 16) memcpy(to + at, from + at, 16);
}

/* The rows of its input under the kernel of a layer; NULL for those beyond the border. */
static void dg_lines(const struct dg_state *state, const struct dg_job *job, int32_t row, const uint8_t **lines) {
    const struct dg_layer *layer = job->layer;
    const struct dg_job *in = dg_input(state, job, 0);
    int32_t y, from = row * layer->stride_rows - layer->top;
    for (y = 0; y < layer->kernel_rows; y++, from += layer->dilation_rows)
        lines[y] = from < 0 || from >= in->rows ? NULL : dg_row(state, in, from);
}

/* The bytes under the kernel of a convolution at a place of its output, of these rows. */
static void dg_gather(const struct dg_layer *layer, const uint8_t *const *lines, int32_t columns, int32_t column,
                      uint8_t *to) {
    size_t channels = (size_t)layer->channels_in, count = channels * layer->kernel_columns;
    int32_t left = column * layer->stride_columns - layer->left, y, x;
    int is_whole = layer->dilation_columns == 1 && left >= 0 && left + layer->kernel_columns <= columns;
    for (y = 0; y < layer->kernel_rows; y++) {
        if (!lines[y]) {
            memset(to, layer->outside, count);
            to += count;
        } else if (is_whole) {
            dg_copy(to, lines[y] + (size_t)left * channels, count);
            to += count;
        } else {
            for (x = 0; x < layer->kernel_columns; x++, to += channels) {
                int32_t from = left + x * layer->dilation_columns;
                if (from < 0 || from >= columns) memset(to, layer->outside, channels);
                else dg_copy(to, lines[y] + (size_t)from * channels, channels);
            }
        }
    }
    memset(to, 0, 4); /* the weights there are 0 */
}

/* Writes the results of one block of channels of a pixel. */
static void dg_finish(const struct dg_state *state, const struct dg_layer *layer, int32_t channel, const int32_t *sums,
                      unsigned char *pixel) {
    int32_t count = layer->channels_out - channel, place;
    uint8_t bytes[DG_BLOCK];
    if (layer->is_float) {
        for (place = 0; place < count && place < DG_BLOCK; place++) {
            float value = (float)(sums[place] + layer->bias[channel + place]) * layer->scale[channel + place];
            memcpy(pixel + sizeof value * (size_t)(channel + place), &value, sizeof value);
        }
    } else if (count >= DG_BLOCK) {
        state->plan.kernels->requantise(sums, layer->bias + channel, layer->scale + channel, layer->zero,
                                   pixel + channel);
    } else {
        state->plan.kernels->requantise(sums, layer->bias + channel, layer->scale + channel, layer->zero, bytes);
        memcpy(pixel + channel, bytes, (size_t)count);
    }
}

/* Whether the kernel of a convolution sees one pixel of its input, whose bytes need not be gathered. */
static int dg_is_pointwise(const struct dg_layer *layer) {
    return layer->kernel_rows == 1 && layer->kernel_columns == 1 && layer->stride_rows == 1 &&
           layer->stride_columns == 1 && !layer->top && !layer->left && layer->channels_in % DG_BLOCK == 0;
}

static void dg_convolution(const struct dg_state *state, const struct dg_job *job, int32_t first, int32_t count) {
    const struct dg_layer *layer = job->layer;
    const struct dg_job *in = dg_input(state, job, 0);
    const struct dg_kernels *kernels = state->plan.kernels;
    int32_t columns = job->columns, fours = (int32_t)((dg_window(layer) + 3) / 4);
    size_t window = dg_padded(dg_window(layer));
    size_t pixel_bytes = job->row_bytes / (size_t)columns;
    uint8_t *gathered = state->scratch;
    int32_t *sums = (int32_t *)(void *)(gathered + DG_BYTES(window * (size_t)kernels->group + DG_BLOCK));
    uint8_t *widened = (uint8_t *)sums + DG_BYTES(sizeof(int32_t) * DG_BLOCK * (size_t)kernels->group);
    const uint8_t *lines[DG_MAX_TAPS];
    unsigned char *to[DG_MAX_GROUP];
    int32_t row = first, column = 0, left = count * columns, is_pointwise = dg_is_pointwise(layer), n, p, channel;
    while (left) {
        const uint8_t *pixels = gathered;
        n = left < kernels->group ? left : kernels->group;
        if (is_pointwise) { /* up to where the rows of the input begin again */
            int32_t together = (in->kept - row % in->kept) * columns - column;
            n = n < together ? n : together;
            pixels = dg_row(state, in, row) + (size_t)column * window;
        }
        for (p = 0; p < n; p++) {
            if (!is_pointwise) {
                if (!p || !column) dg_lines(state, job, row, lines);
                dg_gather(layer, lines, in->columns, column, gathered + (size_t)p * window);
            }
            if (kernels->width > 1)
                kernels->widen(pixels + (size_t)p * window, 4 * (size_t)fours, widened + (size_t)p * window * kernels->width);
            to[p] = p && column ? to[p - 1] + pixel_bytes : dg_row(state, job, row) + (size_t)column * pixel_bytes;
            if (++column == columns) column = 0, row++;
        }
        for (channel = 0; channel < layer->channels_out; channel += DG_BLOCK) {
            int32_t rest = layer->channels_out - channel;
            kernels->sum(kernels->width > 1 ? widened : pixels, window * kernels->width, n,
                         layer->weights + (size_t)channel * 4 * (size_t)fours, fours, rest < DG_BLOCK ? rest : DG_BLOCK,
                         sums);
            for (p = 0; p < n; p++) dg_finish(state, layer, channel, sums + DG_BLOCK * p, to[p]);
        }
        left -= n;
    }
}

/* Where the pixels under the kernel begin, for a depthwise layer or a pooling, in these rows of `columns` pixels. */
static int32_t dg_taps(const struct dg_layer *layer, const uint8_t *const *lines, int32_t columns, int32_t column,
                       const uint8_t *outside, const uint8_t **taps) {
    int32_t left = column * layer->stride_columns - layer->left, y, x, count = 0;
    for (y = 0; y < layer->kernel_rows; y++)
        for (x = 0; x < layer->kernel_columns; x++) {
            int32_t from = left + x * layer->dilation_columns;
            taps[count++] = !lines[y] || from < 0 || from >= columns
                                ? outside
                                : lines[y] + (size_t)from * (size_t)layer->channels_in;
        }
    return count;
}

/* The mean of what the bytes of a channel stand for, in float as ONNX Runtime computes it. */
static uint8_t dg_mean(const struct dg_layer *layer, const uint8_t *const *taps, int32_t count, int32_t channel) {
    float sum = 0;
    int32_t tap;
    for (tap = 0; tap < count; tap++) sum += layer->first * (float)((int32_t)taps[tap][channel] - layer->outside);
    return dg_byte((int32_t)dg_rounded(sum / (float)count / layer->second + layer->constant));
}

/* A row of a depthwise layer or of a pooling: each channel of the pixels under the kernel is taken on its own. */
static void dg_each(const struct dg_state *state, const struct dg_job *job, int32_t row, unsigned char *to) {
    const struct dg_layer *layer = job->layer;
    const uint8_t *lines[DG_MAX_TAPS], *taps[DG_MAX_TAPS];
    int32_t column, channel, tap, sums[DG_BLOCK], channels = layer->channels_out;
    size_t stride = dg_padded((size_t)channels);
    if (layer->kind == DG_DEPTHWISE) memset(state->scratch, layer->outside, stride);
    dg_lines(state, job, row, lines);
    for (column = 0; column < job->columns; column++, to += channels) {
        int32_t count = dg_taps(layer, lines, dg_input(state, job, 0)->columns, column, state->scratch, taps);
        if (layer->kind == DG_DEPTHWISE) {
            for (channel = 0; channel < channels; channel += DG_BLOCK) {
                state->plan.kernels->sum_each(taps, count, (size_t)channel, layer->weights + channel, stride, sums);
                dg_finish(state, layer, channel, sums, to);
            }
        } else if (layer->kind == DG_AVERAGE) {
            for (channel = 0; channel < channels; channel++) to[channel] = dg_mean(layer, taps, count, channel);
        } else {
            memcpy(to, taps[0], (size_t)channels);
            for (tap = 1; tap < count; tap++)
                for (channel = 0; channel < channels; channel++)
                    if (taps[tap][channel] > to[channel]) to[channel] = taps[tap][channel];
        }
    }
}

/* A row of the channels of one or two jobs side by side. */
static void dg_concatenation(const struct dg_state *state, const struct dg_job *job, int32_t row, unsigned char *start) {
    const struct dg_layer *layer = job->layer;
    int32_t column, place, channel;
    for (place = 0; place < layer->input_count; place++) {
        const struct dg_job *in = dg_input(state, job, place);
        int32_t channels = in->layer->channels_out, shift = layer->shift[place];
        const uint8_t *from = dg_row(state, in, row >> shift), *map = layer->maps[place];
        unsigned char *to = start;
        for (column = 0; column < job->columns; column++, to += layer->channels_out) {
            const uint8_t *pixel = from + (size_t)(column >> shift) * (size_t)channels;
            if (!map) memcpy(to, pixel, (size_t)channels);
            else if (shift && column & 1) memcpy(to, to - layer->channels_out, (size_t)channels);
            else
                for (channel = 0; channel < channels; channel++) to[channel] = map[pixel[channel]];
        }
        start += channels;
    }
}

static void dg_rows_of(const struct dg_state *state, const struct dg_job *job, int32_t first, int32_t count) {
    const struct dg_layer *layer = job->layer;
    int32_t row;
    if (layer->kind == DG_CONVOLUTION) { /* which takes pixels of several rows together */
        dg_convolution(state, job, first, count);
        return;
    }
    for (row = first; row < first + count; row++) {
        unsigned char *to = dg_row(state, job, row);
        if (layer->kind == DG_INPUT)
            state->source->row(state->source->context, row, to);
        else if (layer->kind == DG_ADD)
            state->plan.kernels->add(dg_row(state, dg_input(state, job, 0), row), dg_row(state, dg_input(state, job, 1), row),
                                     job->row_bytes, layer->first, layer->second, layer->constant, to);
        else if (layer->kind == DG_CONCATENATE)
            dg_concatenation(state, job, row, to);
        else
            dg_each(state, job, row, to);
    }
}

/* The row of the job before behind the last one that a row of a job needs. */
DG_SMALL static int32_t dg_needed(const struct dg_job *job, int32_t number, int32_t row) {
    const struct dg_layer *layer = job->layer;
    int32_t needed, rows = job[-1].rows, place = job->inputs[0] != number - 1;
    if (layer->kind == DG_ADD) needed = row + 1 + job->lag;
    else if (layer->kind == DG_CONCATENATE) needed = (row >> layer->shift[place]) + 1;
    else needed = row * layer->stride_rows - layer->top + dg_extent(layer->kernel_rows, layer->dilation_rows);
    return needed < rows ? needed : rows;
}

/* Does the jobs of a chain row by row: a row as soon as the job before has the rows that it needs. */
DG_SMALL static void dg_chain(const struct dg_state *state, int32_t start, int32_t end) {
    const struct dg_job *jobs = state->plan.jobs;
    int32_t made[DG_MAX_LAYERS], number;
    for (number = start; number <= end; number++) made[number] = 0;
    number = end;
    while (made[end] < jobs[end].rows) {
        const struct dg_job *job = &jobs[number];
        int32_t wanted = start == end ? job->rows : 1, missing, rows;
        if (number < end) { /* as many rows as the next job waits for */
            wanted = dg_needed(job + 1, number + 1, made[number + 1]) - made[number];
            if (wanted > job->kept) wanted = job->kept;
        }
        missing = number == start ? 0 : dg_needed(job, number, made[number]) - made[number - 1];
        if (wanted <= 0) {
            number++;
        } else if (missing > 0) {
            number--;
        } else {
            rows = number == start ? wanted : 1;
            while (rows < wanted && dg_needed(job, number, made[number] + rows) <= made[number - 1]) rows++;
            dg_rows_of(state, job, made[number], rows);
            made[number] += rows;
        }
    }
}

/* Does the jobs of a chain in steps. */
DG_SMALL static void dg_flow(const struct dg_state *state, int32_t end) {
    const struct dg_job *jobs = state->plan.jobs, *job;
    int32_t step;
    for (step = 0; step < state->plan.steps; step++)
        for (job = jobs; job <= &jobs[end]; job++) {
            int32_t first = step * job->rate - job->lag, last = first + job->rate;
            if (first < 0) first = 0;
            if (last > job->rows) last = job->rows;
            if (first < last) dg_rows_of(state, job, first, last - first);
        }
}

/* --- Running a network --------------------------------------------------------------------------------------------- */

DG_SMALL size_t dg_output_bytes(const struct dg_network *network, int32_t rows, int32_t columns) {
    struct dg_plan plan;
    dg_begin_plan(-1, network, rows, columns, &plan);
    dg_plan_by(0, &plan);
    return DG_BYTES(plan.outputs);
}

DG_SMALL size_t dg_run_bytes(const struct dg_network *network, int32_t rows, int32_t columns) {
    struct dg_plan plan;
    dg_begin_plan(-1, network, rows, columns, &plan);
    dg_best_plan(1, &plan);
    return dg_plan_bytes(&plan);
}

DG_SMALL int dg_run_by(int32_t kernels, const struct dg_network *network, int32_t rows, int32_t columns,
              const struct dg_source *source, struct dg_arena *arena, struct dg_output *outputs) {
    struct dg_state state;
    struct dg_plan *plan = &state.plan;
    int32_t end, number;
    size_t left = (size_t)(arena->end - arena->at);
    state.source = source;
    dg_begin_plan(kernels, network, rows, columns, plan);
    dg_best_plan(0, plan);
    if (dg_plan_bytes(plan) > left) dg_best_plan(1, plan);
    if (dg_plan_bytes(plan) > left) return DIGITOCR_ERROR_MEMORY;
    state.working = arena->at;
    state.scratch = arena->at + DG_BYTES(plan->working);
    for (number = 0; number < plan->count; number = plan->jobs[number].chain_end + 1) {
        if (!number && plan->steps) dg_flow(&state, plan->jobs[number].chain_end);
        else dg_chain(&state, number, plan->jobs[number].chain_end);
    }
    for (end = 0; end < network->end_count; end++) {
        const struct dg_end *from = &network->ends[end];
        const struct dg_job *job = &plan->jobs[plan->count - 1];
        size_t size = from->scale == 0 ? sizeof(float) : 1;
        while (job->layer != &network->layers[from->layer]) job--;
        outputs[end].data = dg_row(&state, job, 0) + size * (size_t)from->first_channel;
        outputs[end].rows = job->rows;
        outputs[end].columns = job->columns;
        outputs[end].channels = from->channels;
        outputs[end].stride = job->layer->channels_out;
        outputs[end].scale = from->scale;
        outputs[end].zero_point = from->zero_point;
    }
    arena->at += DG_BYTES(plan->outputs);
    return DIGITOCR_OK;
}

int dg_run(const struct dg_network *network, int32_t rows, int32_t columns, const struct dg_source *source,
           struct dg_arena *arena, struct dg_output *outputs) {
    return dg_run_by(-1, network, rows, columns, source, arena, outputs);
}

int dg_check_weights(void) {
    return dg_weights_check == DIGITOCR_WEIGHTS_CHECK ? DIGITOCR_OK : DIGITOCR_ERROR_WEIGHTS;
}
