/* One byte a component: how is a row written in it?

   A row x is about scale * c, where c are signed bytes, and what that leaves out has the length `residual`. So its dot
   product with a query q is that of the bytes, give or take |q| * residual; the query is rounded in the same way, to
   finer steps (products.h). */

#ifndef QDLITE_CODES_H
#define QDLITE_CODES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels.h"

#define STEPS 127   /* of a byte, to either side */
#define LINE 64     /* bytes that are fetched at once */
#define AHEAD 4     /* rows that are fetched before they are needed */
#define TOGETHER 32 /* rows at most that are compared in one go */

/* Of largest components: the squares of what bytes leave out of smaller ones come near zero. */
#define TINIEST 1e-12f

/* What is known of a row besides its bytes, or of a query besides its steps. Lengths are Euclidean; a residual is
   infinite if the bytes say nothing. */
typedef struct {
    float scale, residual, length;
} Rounded;

/* Before the bytes of each row, which are padded with zeros to a multiple of 16, and of which `sum` is the sum. */
typedef struct {
    Rounded rounded;
    int32_t sum;
} Head;

/* Before the upper halves of the bytes of a row: of the first half_of(size) bytes in the lower four bits, of the others
   in the upper ones. `residual` is what they leave out (sieve.h). */
typedef struct {
    Rounded rounded;
    float unused;
} Sketch;

/* What is known of rows that are compared with a query or with another row, and the sums of the products. */
typedef struct {
    float scales[TOGETHER], residuals[TOGETHER], lengths[TOGETHER];
    int32_t sums[TOGETHER];
} Products;

INLINED void note(Products *made, intptr_t at, Rounded row) {
    made->scales[at] = row.scale;
    made->residuals[at] = row.residual;
    made->lengths[at] = row.length;
}

INLINED intptr_t record_bytes(intptr_t size) { return (intptr_t)sizeof(Head) + (size + 15) / 16 * 16; }

INLINED intptr_t half_of(intptr_t size) { return (size + 31) / 32 * 16; }

INLINED intptr_t sketch_bytes(intptr_t half) { return (intptr_t)sizeof(Sketch) + half; }

INLINED const int8_t *bytes_of(const Head *head) { return (const int8_t *)(head + 1); }

INLINED void fetch(const void *at, intptr_t bytes) {
    for (intptr_t i = 0; i < bytes; i += LINE) PREFETCH((const char *)at + i);
}

/* Positive floats are in the order of their bits. */
INLINED float largest(const float *numbers, intptr_t count) {
    uint32_t most = 0;
    for (intptr_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, numbers + i, sizeof bits);
        bits &= 0x7fffffffu;
        most = bits > most ? bits : most;
    }
    float value;
    memcpy(&value, &most, sizeof value);
    return value;
}

INLINED void encode(const float *row, intptr_t size, Head *head) {
    int8_t *codes = (int8_t *)(head + 1);
    float most = largest(row, size), scale = most / STEPS, inverse = STEPS / most, lost = 0, length = 0;
    int32_t sum = 0;
    if (!isfinite(most) || most < TINIEST) { /* too large for bounds, or too small; or all zero */
        for (intptr_t j = 0; j < size; j++) codes[j] = 0;
        *head = (Head){{0, most > 0 ? INFINITY : 0, most > 0 ? INFINITY : 0}, 0};
        return;
    }
#pragma omp simd reduction(+ : lost, length, sum)
    for (intptr_t j = 0; j < size; j++) {
        float x = row[j], code = rintf(x * inverse), rest = x - scale * code;
        codes[j] = (int8_t)(int32_t)code;
        sum += (int32_t)code;
        lost += rest * rest;
        length += x * x;
    }
    *head = (Head){{scale, sqrtf(lost), sqrtf(length)}, sum};
}

#endif
