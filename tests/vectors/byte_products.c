/* What do the products of bytes come to? For test_byte_products.py, which gives all parts by itself. */

#include "products.h"

int processor_has_vnni(void) { return has_vnni(); }

static void at_most_together(const Query *query, const Head *row, const uint8_t *records, intptr_t wide, intptr_t count,
                             int32_t *sums) {
    const Head *heads[TOGETHER];
    Products made;
    for (intptr_t i = 0; i < count; i++) heads[i] = (const Head *)(records + i * record_bytes(wide));
    if (query)
        query_products(query, heads, count, count, wide, &made);
    else
        row_products(row, heads, count, count, wide, &made);
    memcpy(sums, made.sums, (size_t)count * sizeof *sums);
}

void step_sums(const int16_t *steps, const uint8_t *records, intptr_t wide, intptr_t count, int32_t *sums) {
    Query query = query_room(wide);
    memcpy(query.steps, steps, (size_t)wide * sizeof *steps);
    if (query.halves) halve(&query, wide);
    at_most_together(&query, NULL, records, wide, count, sums);
    free(query.steps);
}

void row_sums(const uint8_t *row, const uint8_t *records, intptr_t wide, intptr_t count, int32_t *sums) {
    at_most_together(NULL, (const Head *)row, records, wide, count, sums);
}

void upper_half_sums(const int8_t *bytes, const uint8_t *sketches, intptr_t half, intptr_t count, int32_t *sums) {
    Products made;
    nibble_products(bytes, sketches, count, half, &made);
    memcpy(sums, made.sums, (size_t)count * sizeof *sums);
}
