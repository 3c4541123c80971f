/* Half a byte a component: which rows of a long run may be near?

   A scan of many rows is bound by reading memory. The upper four bits of each byte (codes.h) say how similar a row is,
   give or take a ninth of its length, and mostly that is enough to drop nearly all rows; of the others all bits are read.
   Only with VNNI (vnni.h) this takes less time than reading all bits of all rows. */

#ifndef QDLITE_SIEVE_H
#define QDLITE_SIEVE_H

#include "distance.h"

#define TRIAL 1024       /* rows, before it is judged */
#define PASSING_SHARE 16 /* if more than one row in so many passes, it is better to read all bits */

/* A query in bytes, whose sum is `sum`; of as many rows as are `seen`, so many `passed`. */
typedef struct {
    int8_t *bytes;
    Rounded rounded;
    int32_t sum;
    intptr_t seen, passed;
} Sieve;

INLINED int pays(const Sieve *sieve) {
    return sieve->bytes && (sieve->seen < TRIAL || sieve->passed * PASSING_SHARE <= sieve->seen);
}

/* The upper half n of a byte moved by 128 stands for the bytes 16 n - 128 to 16 n - 113. Their mean is taken for it. */
INLINED void sketch(const Head *head, intptr_t size, Sketch *made) {
    const int8_t *codes = bytes_of(head);
    const intptr_t half = half_of(size), second = size > half ? size - half : 0;
    uint8_t *nibbles = (uint8_t *)(made + 1);
    int32_t squares = 0; /* of twice what is left out: at most 15 each */
    for (intptr_t j = 0; j < size; j++) {
        const int32_t left_out = 2 * ((codes[j] + 128) & 15) - 15;
        squares += left_out * left_out;
    }
    for (intptr_t j = 0; j < half; j++) nibbles[j] = j < size ? (uint8_t)((codes[j] + 128) >> 4) : 0;
    for (intptr_t j = 0; j < second; j++)
        nibbles[j] = (uint8_t)(nibbles[j] | ((codes[half + j] + 128) & 0xf0));
    const Rounded all = head->rounded;
    made->rounded = (Rounded){all.scale, all.residual + all.scale * sqrtf((float)squares) / 2, all.length};
}

/* A query that was rounded before, in bytes. `bytes` are NULL if there is no memory. */
INLINED Sieve sieve_of(const float *query, intptr_t size, Rounded known) {
    const intptr_t half = half_of(size);
    const float most = largest(query, size), scale = most / STEPS, inverse = most > 0 ? STEPS / most : 0;
    Sieve made = {calloc((size_t)half * 2, 1), {0, 0, 0}, 0, 0, 0};
    float lost = 0;
    if (!made.bytes) return made;
    for (intptr_t j = 0; j < size; j++) {
        const float code = rintf(query[j] * inverse), rest = query[j] - scale * code;
        made.bytes[j] = (int8_t)(int32_t)code;
        made.sum += (int32_t)code;
        lost += rest * rest;
    }
    made.rounded = (Rounded){scale / 2, sqrtf(lost), known.length}; /* of sums that are doubled, to be whole */
    return made;
}

/* Writes bounds of the distances of `count` rows that follow each other; see distance.h. */
INLINED void least_by_sketches(int measure, float slack, const Sieve *sieve, const uint8_t *sketches, intptr_t count,
                               intptr_t half, float *least) {
    Products products, *const made = &products;
    nibble_products(sieve->bytes, sketches, count, half, made);
    for (intptr_t i = 0; i < count; i++)
        made->sums[i] = (int32_t)(32 * (uint32_t)made->sums[i] - 241 * (uint32_t)sieve->sum);
    least_distances(measure, slack, sieve->rounded, made, count, least);
}

#endif
