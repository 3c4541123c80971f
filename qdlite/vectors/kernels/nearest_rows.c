/* Which rows of a matrix are nearest? Called by scan.py, for little work with, for much without the interpreter lock.

   Where one byte a component is kept of each row, that is read first: it proves of most rows that they are farther than
   the nearest found so far (codes.h), and only the others are read as they are. Before that, half of each byte is read of
   many rows that follow each other (sieve.h). The answer is that of a full scan. */

#include <stdint.h>
#include <stdlib.h>

#include "sieve.h"

/* How components are stored. */
enum { SINGLES, HALVES, BYTES };

#define SIEVED_FROM 8192  /* rows */
#define SIEVED_AFTER 2048 /* of them: the nearest found so far should be near */

/* Rows, and how they are compared. `records` are NULL, or as `encode_rows` makes them, each `stride` bytes long; so are
   `sketches`. `slack` is the relative rounding error of distances. */
typedef struct {
    const void *at;
    const uint8_t *records, *sketches;
    intptr_t stored, size, stride, measure;
    double slack;
} Rows;

typedef struct {
    float distance;
    intptr_t row;
} Found;

/* Whether sketches are of use. */
int has_sieve(void) { return has_vnni(); }

/* Writes heads and bytes of `count` rows that follow each other to `records`, `stride` bytes apart, and if not NULL,
   their upper halves to `sketches`. */
FOR_EACH_PROCESSOR
void encode_rows(const float *rows, intptr_t size, intptr_t count, intptr_t stride, uint8_t *records,
                 uint8_t *sketches) {
    for (intptr_t i = 0; i < count; i++) {
        Head *head = (Head *)(records + i * stride);
        encode(rows + i * size, size, head);
        if (sketches) sketch(head, size, (Sketch *)(sketches + i * sketch_bytes(half_of(size))));
    }
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

/* Rows that are looked at in one go: of those `numbers` the first `count`, and what their bytes tell. The `found` ones
   are `near` enough by that. */
typedef struct {
    intptr_t numbers[2 * TOGETHER], count, near[TOGETHER], found;
    float least[TOGETHER];
} Group;

/* Adds rows of a run from `next` on to `found` ones, those that may be near by the upper halves of their bytes, until
   there are enough for a group. Returns how many there are then. */
INLINED intptr_t sift(const Rows *rows, Sieve *sieve, float bound, intptr_t *next, intptr_t end, intptr_t found,
                      intptr_t *numbers) {
    const intptr_t half = half_of(rows->size);
    float least[TOGETHER];
    while (found < TOGETHER && *next < end) {
        const intptr_t now = end - *next < TOGETHER ? end - *next : TOGETHER, before = found;
        const uint8_t *sketches = rows->sketches + *next * sketch_bytes(half);
        least_by_sketches((int)rows->measure, (float)rows->slack, sieve, sketches, now, half, least);
        for (intptr_t i = 0; i < now; i++) {
            numbers[found] = *next + i;
            found += !(least[i] > bound);
        }
        for (intptr_t k = before; k < found; k++) fetch(rows->records + numbers[k] * rows->stride, rows->stride);
        *next += now;
        sieve->seen += now;
        sieve->passed += found - before;
    }
    return found;
}

/* Without branches, which nobody could foresee. */
INLINED void find_near(Group *group, float bound) {
    group->found = 0;
    for (intptr_t i = 0; i < group->count; i++) {
        group->near[group->found] = i;
        group->found += !(group->least[i] > bound);
    }
}

/* All of them, the likely nearest first: as long as the nearest are not known, that spares reading many. */
INLINED void put_in_order(Group *group) {
    for (intptr_t i = 0; i < group->count; i++)
        if (group->least[i] != group->least[i]) group->least[i] = -INFINITY;
    for (intptr_t i = 0; i < group->count; i++) {
        const float own = group->least[i];
        int32_t place = 0;
#pragma omp simd reduction(+ : place)
        for (intptr_t k = 0; k < group->count; k++)
            place += group->least[k] < own || (group->least[k] == own && k < i);
        group->near[place] = i;
    }
    group->found = group->count;
}

INLINED void keep_allowed(Group *group, const uint8_t *allowed) {
    const intptr_t found = group->found;
    group->found = 0;
    for (intptr_t k = 0; k < found; k++) {
        const intptr_t i = group->near[group->found] = group->near[k];
        group->found += allowed[group->numbers[i]] != 0;
    }
}

INLINED void fetch_near(const Group *group, intptr_t place, const uint8_t *rows, intptr_t row_bytes) {
    if (place < group->found) fetch(rows + group->numbers[group->near[place]] * row_bytes, row_bytes);
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
    const uint8_t *const records = rows->records, *const stored = rows->at;
    const float slack = (float)rows->slack;
    intptr_t filled = 0, read_whole = 0, sifted = 0, result = -1;
    Group group;
    const Head *heads[TOGETHER + AHEAD];
    Query to = {NULL, NULL, {0, 0, 0}, 0};
    Sieve sieve = {NULL, {0, 0, 0}, 0, 0, 0};
    float *scratch = plain ? NULL : malloc((size_t)size * sizeof(float));
    Found *heap = malloc((size_t)limit * sizeof(Found));
    if (records) to = query_room(wide);
    if (!heap || (records && !to.steps) || !(plain || scratch)) goto done;
    if (records) round_query(query, size, wide, &to);
    if (has_sieve() && to.told && rows->sketches && !at && count >= SIEVED_FROM)
        sieve = sieve_of(query, size, to.rounded);
    for (intptr_t next = 0; next < count || sifted;) {
        const float bound = filled == limit ? heap[0].distance : INFINITY;
        intptr_t known = 0;
        const int sieving = next >= SIEVED_AFTER && bound < INFINITY && pays(&sieve);
        if (sieving) {
            intptr_t row = first + next;
            sifted = sift(rows, &sieve, bound, &row, first + count, sifted, group.numbers);
            next = row - first;
        }
        if (sieving || sifted) {
            group.count = sifted < TOGETHER ? sifted : TOGETHER;
        } else {
            known = count - next < TOGETHER + AHEAD ? count - next : TOGETHER + AHEAD;
            group.count = known < TOGETHER ? known : TOGETHER;
            for (intptr_t i = 0; i < known; i++) group.numbers[i] = at ? at[next + i] : first + next + i;
            next += group.count;
        }
        if (to.told && filled + group.count > limit) {
            if (!at) known = group.count;
            for (intptr_t i = 0; i < known; i++) heads[i] = (const Head *)(records + group.numbers[i] * rows->stride);
            least_from_query(measure, slack, &to, heads, group.count, at ? known : 0, wide, group.least);
        } else { /* nothing is known; or the first ones, which are taken in as they come */
            for (intptr_t i = 0; i < group.count; i++) group.least[i] = -INFINITY;
        }
        if (bound < INFINITY)
            find_near(&group, bound);
        else
            put_in_order(&group);
        if (allowed) keep_allowed(&group, allowed);
        const int scattered = at || sifted || group.found < group.count; /* others are fetched by themselves */
        for (intptr_t k = 0; scattered && k < AHEAD; k++) fetch_near(&group, k, stored, row_bytes);
        for (intptr_t k = 0; k < group.found; k++) {
            const intptr_t i = group.near[k], row = group.numbers[i];
            if (scattered) fetch_near(&group, k + AHEAD, stored, row_bytes);
            if (filled == limit && group.least[i] > heap[0].distance) continue;
            take_in(heap, &filled, limit, (Found){distance(measure, size, query, row_at(rows, row, scratch)), row});
            read_whole++;
        }
        if (sifted) {
            sifted -= group.count;
            memmove(group.numbers, group.numbers + group.count, (size_t)sifted * sizeof *group.numbers);
        }
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
    free(sieve.bytes);
    free(scratch);
    free(heap);
    return result;
}
