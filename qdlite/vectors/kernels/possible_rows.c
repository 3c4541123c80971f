/* Which rows can be among the most similar ones? Told from one byte a component, with proven bounds; called by codes.py,
   for few rows with, for many without the interpreter lock.

   A row whose upper bound is below the lower bounds of as many rows as are wanted is not among them. */

#include <stdint.h>
#include <stdlib.h>

#include "codes.h"

#define AHEAD 4 /* rows that are fetched before they are needed */

/* Writes heads and bytes of `count` rows that follow each other to `records`, `stride` bytes apart. */
FOR_EACH_PROCESSOR
void encode_rows(const float *rows, intptr_t size, intptr_t count, intptr_t stride, uint8_t *records) {
    for (intptr_t i = 0; i < count; i++) encode(rows + i * size, size, (Head *)(records + i * stride));
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
INLINED float improved(float *heap, intptr_t *filled, intptr_t limit, float low, float least) {
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
    Query to = {calloc((size_t)wide, sizeof(int16_t)), 0, 0, 0, 0};
    float *heap = malloc((size_t)limit * sizeof(float)), *upper = malloc((size_t)room * sizeof(float));
    if (!to.steps || !heap || !upper) goto done;
    round_query(query, size, wide, &to);
    if (!to.told) goto done;
    kept = 0;
    for (intptr_t i = 0; i < count; i++) {
        const intptr_t row = at ? at[i] : i;
        if (at && i + AHEAD < count) fetch(records + at[i + AHEAD] * stride, stride);
        const Head *head = (const Head *)(records + row * stride);
        const Estimate found_dot = to_query(&to, head, wide);
        float near = factor * found_dot.dot;
        float error = factor * (found_dot.error + slack * to.length * head->length);
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
