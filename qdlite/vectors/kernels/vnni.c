/* How are bytes multiplied with AVX-512 VNNI? See vnni.h. */

#include "vnni.h"

#if !VNNI
typedef int nothing; /* as no file may be empty */
#else

#include <immintrin.h>

#define WITH_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define MOST_LINES 12 /* of factors that stay in registers */

/* A line of the factors without sign, of which so many are `there`. */
INLINED WITH_VNNI __m512i factors(const uint8_t *line, __mmask64 there, int halves) {
    const __m512i bytes = _mm512_maskz_loadu_epi8(there, line);
    return halves ? bytes : _mm512_xor_si512(bytes, _mm512_set1_epi8(-128));
}

/* Modulo 2^32. */
INLINED WITH_VNNI uint32_t total(__m512i sums) {
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
    __m128i quarter = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    quarter = _mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0x4e));
    quarter = _mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(quarter);
}

/* Of factors in `halves`, or else of signed bytes. Rows are read from the beginning to the end, one after the other:
   that is how processors foresee best what will be read. */
INLINED WITH_VNNI void products(const intptr_t lines, const int halves, const uint8_t *given, const Head *const *rows,
                                intptr_t count, intptr_t known, intptr_t wide, Products *made) {
    const int keeps = lines <= MOST_LINES;
    const __mmask64 all = ~(__mmask64)0, last = all >> (lines * LINE - wide);
    const uint8_t *given_lower = given + lines * LINE;
    __m512i upper[MOST_LINES], lower[MOST_LINES];
    for (intptr_t k = 0; keeps && k < lines; k++) {
        upper[k] = factors(given + k * LINE, k + 1 < lines ? all : last, halves);
        if (halves) lower[k] = factors(given_lower + k * LINE, all, 1);
    }
    for (intptr_t i = 0; i < count; i++) {
        const int8_t *bytes = bytes_of(rows[i]);
        const uint32_t moved = (uint32_t)rows[i]->sum << (halves ? 15 : 7);
        __m512i high = _mm512_setzero_si512(), low = _mm512_setzero_si512();
        note(made, i, rows[i]->rounded);
        if (i + AHEAD < known) fetch(rows[i + AHEAD], record_bytes(wide));
        for (intptr_t k = 0; k < lines; k++) {
            const __mmask64 there = k + 1 < lines ? all : last;
            __m512i line = _mm512_maskz_loadu_epi8(there, bytes + k * LINE);
            __asm__ volatile("" : "+v"(line)); /* read it now, and once */
            high = _mm512_dpbusd_epi32(high, keeps ? upper[k] : factors(given + k * LINE, there, halves), line);
            if (halves)
                low = _mm512_dpbusd_epi32(low, keeps ? lower[k] : factors(given_lower + k * LINE, all, 1), line);
        }
        if (halves) high = _mm512_add_epi32(_mm512_slli_epi32(high, 8), low);
        made->sums[i] = (int32_t)(total(high) - moved);
    }
}

INLINED WITH_VNNI void nibbles(const intptr_t lines, const int8_t *bytes, const uint8_t *sketches, intptr_t count,
                               intptr_t half, Products *made) {
    const int keeps = lines <= MOST_LINES;
    const __mmask64 all = ~(__mmask64)0, last = all >> (lines * LINE - half);
    const __m512i four_bits = _mm512_set1_epi8(15);
    const uint8_t *first = (const uint8_t *)bytes, *second = first + half;
    __m512i one[MOST_LINES], other[MOST_LINES];
    for (intptr_t k = 0; keeps && k < lines; k++) {
        one[k] = factors(first + k * LINE, k + 1 < lines ? all : last, 1);
        other[k] = factors(second + k * LINE, k + 1 < lines ? all : last, 1);
    }
    for (intptr_t i = 0; i < count; i++) {
        const Sketch *row = (const Sketch *)(sketches + i * sketch_bytes(half));
        const uint8_t *upper = (const uint8_t *)(row + 1);
        __m512i low = _mm512_setzero_si512(), high = low;
        note(made, i, row->rounded);
        for (intptr_t k = 0; k < lines; k++) {
            const __mmask64 there = k + 1 < lines ? all : last;
            __m512i line = _mm512_maskz_loadu_epi8(there, upper + k * LINE);
            __asm__ volatile("" : "+v"(line));
            const __m512i in_low = _mm512_and_si512(line, four_bits);
            const __m512i in_high = _mm512_and_si512(_mm512_srli_epi16(line, 4), four_bits);
            low = _mm512_dpbusd_epi32(low, in_low, keeps ? one[k] : factors(first + k * LINE, there, 1));
            high = _mm512_dpbusd_epi32(high, in_high, keeps ? other[k] : factors(second + k * LINE, there, 1));
        }
        made->sums[i] = (int32_t)total(_mm512_add_epi32(low, high));
    }
}

/* A version for each small number of lines: only of what the compiler can count it keeps all in registers. */
#define FOR_LINES(lines, version) \
    switch (lines) { \
    case 1: version(1); break; \
    case 2: version(2); break; \
    case 3: version(3); break; \
    case 4: version(4); break; \
    case 5: version(5); break; \
    case 6: version(6); break; \
    case 7: version(7); break; \
    case 8: version(8); break; \
    case 9: version(9); break; \
    case 10: version(10); break; \
    case 11: version(11); break; \
    case 12: version(12); break; \
    default: version(lines); \
    }

#define STEPS_OF(lines) products(lines, 1, halves, rows, count, known, wide, made)
#define BYTES_OF(lines) products(lines, 0, (const uint8_t *)bytes, rows, count, known, wide, made)
#define NIBBLES_OF(lines) nibbles(lines, bytes, sketches, count, half, made)

INLINED intptr_t lines_of(intptr_t bytes) { return (bytes + LINE - 1) / LINE; }

WITH_VNNI void step_products(const uint8_t *halves, const Head *const *rows, intptr_t count, intptr_t known,
                             intptr_t wide, Products *made) {
    FOR_LINES(lines_of(wide), STEPS_OF)
}

WITH_VNNI void byte_products(const int8_t *bytes, const Head *const *rows, intptr_t count, intptr_t known,
                             intptr_t wide, Products *made) {
    FOR_LINES(lines_of(wide), BYTES_OF)
}

WITH_VNNI void nibble_products(const int8_t *bytes, const uint8_t *sketches, intptr_t count, intptr_t half,
                               Products *made) {
    FOR_LINES(lines_of(half), NIBBLES_OF)
}

#endif
