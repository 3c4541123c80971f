/* Which rows can be among the most similar ones? Told from one byte a component, with proven bounds; called by codes.py,
   for few rows with, for many without the interpreter lock.

   A row x is about scale * c, where c are signed bytes, and what that leaves out has the length `residual`. So its dot
   product with a query q is that of the bytes, give or take |q| * residual; the query is rounded in the same way, to
   finer steps. A row whose upper bound is below the lower bounds of as many rows as are wanted is not among them. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

/* Before the bytes of each row. Lengths are Euclidean; a residual is infinite if the bytes say nothing. */
typedef struct {
    float scale, residual, length, unused;
} Head;

typedef struct {
    int16_t *steps;
    float scale, residual, length;
} Query;

#define STEPS 127      /* of a byte, to either side */
#define TINIEST 1e-12f /* of largest components: the squares of what bytes leave out of smaller ones come near zero */
#define AHEAD 4        /* rows that are fetched before they are needed */
#define LINE 64        /* bytes that are fetched at once */

/* Positive floats are in the order of their bits. */
static inline float largest(const float *numbers, intptr_t count) {
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

/* Writes heads and bytes of `count` rows that follow each other to `records`, `stride` bytes apart. */
FOR_EACH_PROCESSOR
void encode_rows(const float *rows, intptr_t size, intptr_t count, intptr_t stride, uint8_t *records) {
    for (intptr_t i = 0; i < count; i++) {
        const float *row = rows + i * size;
        Head *head = (Head *)(records + i * stride);
        int8_t *codes = (int8_t *)(head + 1);
        float most = largest(row, size), scale = most / STEPS, inverse = STEPS / most, lost = 0, length = 0;
        if (!isfinite(most) || most < TINIEST) { /* too large for bounds, or too small; or all zero */
            memset(codes, 0, (size_t)stride - sizeof *head);
            *head = (Head){0, most > 0 ? INFINITY : 0, most > 0 ? INFINITY : 0, 0};
            continue;
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
}

/* The query in steps as fine as 32 bits allow for the sum of all products; 0 if it is too large or small for bounds. */
static inline int rounded(const float *query, intptr_t size, intptr_t wide, Query *made) {
    float finest = fminf(32767.0f, floorf(2147483392.0f / ((float)STEPS * (float)wide)));
    float most = largest(query, size), inverse = most > 0 ? finest / most : 0, lost = 0, length = 0;
    made->scale = most / finest;
    if (!isfinite(most) || (most > 0 && most < TINIEST)) return 0;
    for (intptr_t j = 0; j < size; j++) {
        float step = rintf(query[j] * inverse), rest = query[j] - made->scale * step;
        made->steps[j] = (int16_t)(int32_t)step;
        lost += rest * rest;
        length += query[j] * query[j];
    }
    made->residual = sqrtf(lost);
    made->length = sqrtf(length);
    return 1;
}

static inline int32_t product(const int8_t *codes, const int16_t *steps, intptr_t wide) {
    int32_t sum = 0;
    for (intptr_t j = 0; j < wide; j++) sum += (int16_t)codes[j] * steps[j];
    return sum;
}

/* Puts a number into a heap with the smallest on top, at a place from which it can only sink. */
static void sink(float *heap, intptr_t size, intptr_t at, float number) {
    for (intptr_t child = 2 * at + 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && heap[child + 1] < heap[child]) child++;
        if (!(heap[child] < number)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = number;
}

/* Adds the lower bound of a row to the best ones; returns the least of these if there are enough, else `least`. */
static inline float improved(float *heap, intptr_t *filled, intptr_t limit, float low, float least) {
    if (*filled == limit) {
        if (!(low > least)) return least;
        sink(heap, limit, 0, low);
        return heap[0];
    }
    heap[(*filled)++] = low;
    if (*filled < limit) return least;
    for (intptr_t node = limit / 2 - 1; node >= 0; node--) sink(heap, limit, node, heap[node]);
    return heap[0];
}

static intptr_t thinned(intptr_t *found, float *upper, intptr_t count, float least) {
    intptr_t kept = 0;
    for (intptr_t i = 0; i < count; i++)
        if (!(upper[i] < least)) {
            found[kept] = found[i];
            upper[kept++] = upper[i];
        }
    return kept;
}

/* Finds all rows that can be among the `limit` most similar ones, in the order in which they are looked at: those `at`,
   or if NULL the first `count`; only those `allowed`, if not NULL. Similarity is the dot product, or if `euclid` minus
   the squared distance. `slack` is the relative rounding error of similarities that are computed from the rows.

   Returns their number, or -1 if they are more than half of what `found` has `room` for, or if there is no memory. */
FOR_EACH_PROCESSOR
intptr_t possible_rows(const uint8_t *records, intptr_t stride, intptr_t size, const float *query, const intptr_t *at,
                       intptr_t count, const uint8_t *allowed, intptr_t limit, int euclid, float slack,
                       intptr_t *found, intptr_t room) {
    const intptr_t wide = stride - (intptr_t)sizeof(Head);
    const float factor = euclid ? 2 : 1;
    intptr_t kept = -1, filled = 0;
    float least = -INFINITY;
    Query to = {calloc((size_t)wide, sizeof(int16_t)), 0, 0, 0};
    float *heap = malloc((size_t)limit * sizeof(float)), *upper = malloc((size_t)room * sizeof(float));
    if (!to.steps || !heap || !upper || !rounded(query, size, wide, &to)) goto done;
    kept = 0;
    for (intptr_t i = 0; i < count; i++) {
        const intptr_t row = at ? at[i] : i;
        if (at && i + AHEAD < count) {
            const uint8_t *next = records + at[i + AHEAD] * stride;
            for (intptr_t j = 0; j < stride; j += LINE) PREFETCH(next + j);
        }
        const Head *head = (const Head *)(records + row * stride);
        float near = factor * head->scale * to.scale * (float)product((const int8_t *)(head + 1), to.steps, wide);
        float error = to.length * head->residual + to.residual * (head->length + head->residual);
        error = factor * (1.001f * error + slack * to.length * head->length);
        if (euclid) {
            float square = head->length * head->length;
            near -= square;
            error += slack * (square + to.length * to.length);
        }
        const int bounded = error < INFINITY; /* also not NaN */
        const float high = bounded ? near + error : INFINITY;
        /* Whether it is allowed is asked last: a branch that nobody can foresee costs more than a product in vain. */
        if (high < least || (allowed && !allowed[row])) continue;
        least = improved(heap, &filled, limit, bounded ? near - error : -INFINITY, least);
        if (kept == room) {
            kept = thinned(found, upper, kept, least);
            if (kept > room / 2) {
                kept = -1;
                goto done;
            }
        }
        found[kept] = row;
        upper[kept++] = high;
    }
    kept = thinned(found, upper, kept, least);
    if (kept > room / 2) kept = -1;
done:
    free(to.steps);
    free(heap);
    free(upper);
    return kept;
}
