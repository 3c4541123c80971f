/* What are the dot products of a query in steps, or of the bytes of a row, with the bytes of several rows?

   Rows come as the places of their heads. The first `count` are wanted; while one is read, another AHEAD of it is fetched
   from memory, as far as they are `known` (0: none is fetched). */

#ifndef QDLITE_PRODUCTS_H
#define QDLITE_PRODUCTS_H

#include <stdlib.h>

#include "vnni.h"

/* A query in steps, and their `halves` (vnni.h) or NULL; `told` if steps can say anything about it. */
typedef struct {
    int16_t *steps;
    uint8_t *halves;
    Rounded rounded;
    int told;
} Query;

INLINED intptr_t in_lines(intptr_t wide) { return (wide + LINE - 1) / LINE * LINE; }

/* `steps` are NULL if there is no memory. */
INLINED Query query_room(intptr_t wide) {
    const size_t steps = (size_t)in_lines(wide);
    int16_t *room = calloc(has_vnni() ? 2 * steps : steps, sizeof *room);
    return (Query){room, room && has_vnni() ? (uint8_t *)(room + steps) : NULL, {0, 0, 0}, 0};
}

INLINED void halve(Query *query, intptr_t wide) {
    uint8_t *upper = query->halves, *lower = upper + in_lines(wide);
    for (intptr_t j = 0; j < wide; j++) {
        const uint32_t moved = (uint32_t)(query->steps[j] + 0x8000);
        upper[j] = (uint8_t)(moved >> 8);
        lower[j] = (uint8_t)moved;
    }
}

/* Steps as fine as 32 bits allow for the sum of all products; `wide` of them, those beyond `size` are left alone. */
INLINED void round_query(const float *query, intptr_t size, intptr_t wide, Query *made) {
    float finest = fminf(32767.0f, floorf(2147483392.0f / ((float)STEPS * (float)wide)));
    float most = largest(query, size), inverse = most > 0 ? finest / most : 0, lost = 0, length = 0;
    const float scale = most / finest;
    made->told = isfinite(most) && (most == 0 || most >= TINIEST);
    if (!made->told) return;
#pragma omp simd reduction(+ : lost, length)
    for (intptr_t j = 0; j < size; j++) {
        float step = rintf(query[j] * inverse), rest = query[j] - scale * step;
        made->steps[j] = (int16_t)(int32_t)step;
        lost += rest * rest;
        length += query[j] * query[j];
    }
    made->rounded = (Rounded){scale, sqrtf(lost), sqrtf(length)};
    if (made->halves) halve(made, wide);
}

INLINED void query_products(const Query *query, const Head *const *rows, intptr_t count, intptr_t known, intptr_t wide,
                            Products *made) {
    if (has_vnni() && query->halves) {
        step_products(query->halves, rows, count, known, wide, made);
        return;
    }
    for (intptr_t i = 0; i < count; i++) {
        const int16_t *steps = query->steps;
        const int8_t *codes = bytes_of(rows[i]);
        int32_t sum = 0;
        note(made, i, rows[i]->rounded);
        if (i + AHEAD < known) fetch(rows[i + AHEAD], record_bytes(wide));
        for (intptr_t j = 0; j < wide; j++) sum += (int16_t)codes[j] * steps[j];
        made->sums[i] = sum;
    }
}

INLINED void row_products(const Head *row, const Head *const *rows, intptr_t count, intptr_t known, intptr_t wide,
                          Products *made) {
    if (has_vnni()) {
        byte_products(bytes_of(row), rows, count, known, wide, made);
        return;
    }
    for (intptr_t i = 0; i < count; i++) {
        const int8_t *left = bytes_of(row), *right = bytes_of(rows[i]);
        int32_t sum = 0;
        note(made, i, rows[i]->rounded);
        if (i + AHEAD < known) fetch(rows[i + AHEAD], record_bytes(wide));
        for (intptr_t j = 0; j < wide; j++) sum += (int16_t)left[j] * (int16_t)right[j];
        made->sums[i] = sum;
    }
}

#endif
