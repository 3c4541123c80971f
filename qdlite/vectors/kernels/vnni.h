/* What are the sums of products of bytes, where the processor adds four products at once (AVX-512 VNNI)?

   It wants one factor without sign and one with it, so signed factors are moved by half of their range first. How much
   that changes a sum follows from the sum of the other factors, which stands in the head of each row. All is counted
   modulo 2^32: what fits into 32 bits in the end is right, whatever comes in between. */

#ifndef QDLITE_VNNI_H
#define QDLITE_VNNI_H

#include "codes.h"

#if defined(__x86_64__) && (defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 8)) && !defined(PORTABLE)
#define VNNI 1

/* Whether the other functions of this file may be called. */
INLINED int has_vnni(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

/* Factors are steps of 16 bits: `halves` are the upper bytes of all steps + 2^15, and from the next whole LINE on the
   lower ones. The rest is as in products.h. */
void step_products(const uint8_t *halves, const Head *const *rows, intptr_t count, intptr_t known, intptr_t wide,
                   Products *made);

/* Factors are the bytes of a row. */
void byte_products(const int8_t *bytes, const Head *const *rows, intptr_t count, intptr_t known, intptr_t wide,
                   Products *made);

/* Factors are the bytes of a query, and the upper halves of rows that follow each other. */
void nibble_products(const int8_t *bytes, const uint8_t *sketches, intptr_t count, intptr_t half, Products *made);

#else
#define VNNI 0
#define has_vnni() 0
/* Never called. */
#define step_products(halves, rows, count, known, wide, made) ((void)0)
#define byte_products(bytes, rows, count, known, wide, made) ((void)0)
#define nibble_products(bytes, sketches, count, half, made) \
    ((void)(bytes), (void)(sketches), (void)(half), memset(made, 0, sizeof *(made)))
#endif

#endif
