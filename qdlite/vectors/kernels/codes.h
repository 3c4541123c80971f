/* One byte a component: how a row is written in it, and what it tells about the similarity of two rows.

   A row x is about scale * c, where c are signed bytes, and what that leaves out has the length `residual`. So its dot
   product with a query q is that of the bytes, give or take |q| * residual; the query is rounded in the same way, to
   finer steps. */

#ifndef QDLITE_CODES_H
#define QDLITE_CODES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels.h"

#define STEPS 127 /* of a byte, to either side */
#define LINE 64   /* bytes that are fetched at once */

/* Of largest components: the squares of what bytes leave out of smaller ones come near zero. */
#define TINIEST 1e-12f

/* Before the bytes of each row, which are padded with zeros to a multiple of 16. Lengths are Euclidean; a residual is
   infinite if the bytes say nothing. */
typedef struct {
    float scale, residual, length, unused;
} Head;

/* A query in steps; `told` if steps can say anything about it. */
typedef struct {
    int16_t *steps;
    float scale, residual, length;
    int told;
} Query;

/* How the dot product of two rows is known: give or take `error`, which may be infinite or no number. */
typedef struct {
    float dot, error;
} Estimate;

INLINED intptr_t record_bytes(intptr_t size) { return (intptr_t)sizeof(Head) + (size + 15) / 16 * 16; }

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
    if (!isfinite(most) || most < TINIEST) { /* too large for bounds, or too small; or all zero */
        for (intptr_t j = 0; j < size; j++) codes[j] = 0;
        *head = (Head){0, most > 0 ? INFINITY : 0, most > 0 ? INFINITY : 0, 0};
        return;
    }
#pragma omp simd reduction(+ : lost, length)
    for (intptr_t j = 0; j < size; j++) {
        float x = row[j], code = rintf(x * inverse), rest = x - scale * code;
        codes[j] = (int8_t)(int32_t)code;
        lost += rest * rest;
        length += x * x;
    }
    *head = (Head){scale, sqrtf(lost), sqrtf(length), 0};
}

/* Steps as fine as 32 bits allow for the sum of all products; `wide` of them, those beyond `size` are left alone. */
INLINED void round_query(const float *query, intptr_t size, intptr_t wide, Query *made) {
    float finest = fminf(32767.0f, floorf(2147483392.0f / ((float)STEPS * (float)wide)));
    float most = largest(query, size), inverse = most > 0 ? finest / most : 0, lost = 0, length = 0;
    made->scale = most / finest;
    made->told = isfinite(most) && (most == 0 || most >= TINIEST);
    if (!made->told) return;
#pragma omp simd reduction(+ : lost, length)
    for (intptr_t j = 0; j < size; j++) {
        float step = rintf(query[j] * inverse), rest = query[j] - made->scale * step;
        made->steps[j] = (int16_t)(int32_t)step;
        lost += rest * rest;
        length += query[j] * query[j];
    }
    made->residual = sqrtf(lost);
    made->length = sqrtf(length);
}

INLINED Estimate to_query(const Query *query, const Head *head, intptr_t wide) {
    const int8_t *codes = bytes_of(head);
    const int16_t *steps = query->steps;
    int32_t sum = 0;
    for (intptr_t j = 0; j < wide; j++) sum += (int16_t)codes[j] * steps[j];
    float error = query->length * head->residual + query->residual * (head->length + head->residual);
    return (Estimate){head->scale * query->scale * (float)sum, 1.001f * error};
}

INLINED Estimate between(const Head *one, const Head *other, intptr_t wide) {
    const int8_t *left = bytes_of(one), *right = bytes_of(other);
    int32_t sum = 0;
    for (intptr_t j = 0; j < wide; j++) sum += (int16_t)left[j] * (int16_t)right[j];
    float error = one->length * other->residual + one->residual * (other->length + other->residual);
    return (Estimate){one->scale * other->scale * (float)sum, 1.001f * error};
}

#endif
