/* Which rows of a matrix are nearest? Called by scan.py, for little work with, for much without the interpreter lock.

   Where one byte a component is kept of each row, that is read first: it proves of most rows that they are farther than
   the nearest found so far (codes.h), and only the others are read as they are. The answer is that of a full scan. */

#include <stdint.h>
#include <stdlib.h>

#include "distance.h"

#define AHEAD 4 /* rows that are fetched before they are needed */

/* How components are stored. */
enum { SINGLES, HALVES, BYTES };

/* Rows, and how they are compared. `records` are NULL, or as `encode_rows` makes them, each `stride` bytes long. `slack`
   is the relative rounding error of distances. */
typedef struct {
    const void *at;
    const uint8_t *records;
    intptr_t stored, size, stride, measure;
    double slack;
} Rows;

typedef struct {
    float distance;
    intptr_t row;
} Found;

/* Writes heads and bytes of `count` rows that follow each other to `records`, `stride` bytes apart. */
FOR_EACH_PROCESSOR
void encode_rows(const float *rows, intptr_t size, intptr_t count, intptr_t stride, uint8_t *records) {
    for (intptr_t i = 0; i < count; i++) encode(rows + i * size, size, (Head *)(records + i * stride));
}

/* A number of half precision, which has its exponent 112 lower; only what is beyond its range needs care. */
INLINED float of_half(uint16_t half) {
    const uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
    float number;
    memcpy(&number, &bits, sizeof number);
    number *= 0x1p112f;
    if (number >= 65536) number = half & 0x3ff ? NAN : INFINITY;
    return half & 0x8000 ? -number : number;
}

/* A row in single precision, if need be in `wide`. */
INLINED const float *row_at(const Rows *rows, intptr_t row, float *wide) {
    const intptr_t size = rows->size;
    if (rows->stored == SINGLES) return (const float *)rows->at + row * size;
    if (rows->stored == HALVES) {
        const uint16_t *halves = (const uint16_t *)rows->at + row * size;
        for (intptr_t j = 0; j < size; j++) wide[j] = of_half(halves[j]);
    } else {
        const uint8_t *bytes = (const uint8_t *)rows->at + row * size;
        for (intptr_t j = 0; j < size; j++) wide[j] = bytes[j];
    }
    return wide;
}

/* No number is farther than all numbers; of equal distances the smaller row is nearer. */
INLINED int farther(Found one, Found other) {
    const int beyond = one.distance != one.distance, other_beyond = other.distance != other.distance;
    if (beyond != other_beyond) return beyond;
    if (one.distance > other.distance) return 1;
    return (beyond || one.distance == other.distance) && one.row > other.row;
}

/* Puts a row into a heap with the farthest on top, at a place from which it can only sink. */
static void sink(Found *heap, intptr_t size, intptr_t at, Found row) {
    for (intptr_t child = 2 * at + 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && farther(heap[child + 1], heap[child])) child++;
        if (!farther(heap[child], row)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = row;
}

/* Adds a row to the nearest ones, of which there are at most `limit`. */
static void take_in(Found *heap, intptr_t *filled, intptr_t limit, Found row) {
    if (*filled == limit) {
        if (farther(heap[0], row)) sink(heap, limit, 0, row);
        return;
    }
    heap[(*filled)++] = row;
    if (*filled == limit)
        for (intptr_t node = limit / 2 - 1; node >= 0; node--) sink(heap, limit, node, heap[node]);
}

static int compare(const void *one, const void *other) {
    const Found left = *(const Found *)one, right = *(const Found *)other;
    return farther(left, right) - farther(right, left);
}

/* Finds the `limit` (> 0) rows that are nearest to a query, of those `at`, or if NULL of `count` from `first` on; only
   those `allowed`, if not NULL. Writes them, nearest first, to `nearest`, and minus the distances to `similarities`.
   Returns twice their number, and one more if some may be equally near; or -1 if there is no memory. `compared`, if not
   NULL, gets the number of rows that were read as they are. */
FOR_EACH_PROCESSOR
intptr_t nearest_rows(const Rows *rows, const float *query, const intptr_t *at, intptr_t first, intptr_t count,
                      const uint8_t *allowed, intptr_t limit, intptr_t *nearest, float *similarities, intptr_t *compared) {
    const int plain = rows->stored == SINGLES, measure = (int)rows->measure;
    const intptr_t size = rows->size, wide = rows->stride - (intptr_t)sizeof(Head);
    const intptr_t row_bytes = size * (plain ? 4 : rows->stored == HALVES ? 2 : 1);
    const uint8_t *const records = rows->records, *const first_read = records ? records : rows->at;
    const intptr_t apart = records ? rows->stride : row_bytes;
    const float slack = (float)rows->slack;
    intptr_t filled = 0, read_whole = 0, result = -1;
    Query to = {records ? calloc((size_t)wide, sizeof(int16_t)) : NULL, 0, 0, 0, 0};
    float *scratch = plain ? NULL : malloc((size_t)size * sizeof(float));
    Found *heap = malloc((size_t)limit * sizeof(Found));
    if (!heap || (records && !to.steps) || !(plain || scratch)) goto done;
    if (records) round_query(query, size, wide, &to);
    for (intptr_t i = 0; i < count; i++) {
        const intptr_t row = at ? at[i] : first + i;
        if (at && i + AHEAD < count) fetch(first_read + at[i + AHEAD] * apart, apart);
        if (to.told && filled == limit) {
            const Head *head = (const Head *)(records + row * rows->stride);
            const Estimate dot = to_query(&to, head, wide);
            if (least_distance(measure, slack, dot, to.length, head->length) > heap[0].distance) continue;
        }
        /* Asked so late, because a branch that nobody can foresee costs more than most products in vain. */
        if (allowed && !allowed[row]) continue;
        take_in(heap, &filled, limit, (Found){distance(measure, size, query, row_at(rows, row, scratch)), row});
        read_whole++;
    }
    if (compared) *compared = read_whole;
    qsort(heap, (size_t)filled, sizeof *heap, compare);
    int tied = 0;
    for (intptr_t i = 0; i < filled; i++) {
        nearest[i] = heap[i].row;
        similarities[i] = -heap[i].distance;
        if (i) tied |= !(heap[i].distance > heap[i - 1].distance);
    }
    result = 2 * filled + tied;
done:
    free(to.steps);
    free(scratch);
    free(heap);
    return result;
}
