/* Which rows have the largest sums over some weighted posting lists? The same answers as accumulate.py, to the bit;
   called by sparse.py, without the interpreter lock.

   Sums are taken in blocks of rows that stay in the cache: every list moves on to the end of the block, then the sums
   are compared with the least of the best so far, many at a time. The first pass keeps positive sums only, because
   zeros cannot be told from rows in no list; if these are too few, a second one looks at every row in a list. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 8192 /* rows */
#define GROUP 64   /* rows that are compared at a time */
#define SPARE 256  /* candidates beyond twice the limit before they are thinned out */

/* As in postings.py: rows and values of the list of terms[i] (ascending) go from bounds[i] to bounds[i + 1]. */
typedef struct {
    const uint32_t *terms;
    const intptr_t *bounds;
    const uint32_t *rows;
    const float *values;
    intptr_t count;
} Postings;

/* What is left of a list, and the begin of what it has in the current block. */
typedef struct {
    const uint32_t *begin, *row, *end;
    const float *value;
    float weight;
} List;

typedef struct { float sums[BLOCK]; uint8_t seen[BLOCK]; } Block;

/* Keys of rows, and how many. Those with a score below the `threshold` are not among the best. */
typedef struct {
    uint64_t *keys, allowed_count;
    intptr_t count, limit;
    float threshold;
    const uint8_t *allowed;
} Best;

/* A row and its score, larger for better ones: by score, NaN last, then by row. */
static uint64_t key_of(float score, uint64_t row) {
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    bits = score != score ? 0 : bits >> 31 ? ~bits : bits | 0x80000000u;
    return (uint64_t)bits << 32 | (UINT32_MAX - row);
}

static float score_of(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    bits = !bits ? 0x7FC00000u : bits >> 31 ? bits ^ 0x80000000u : ~bits;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/* Moves larger keys to the front and smaller ones to the back of one of them; its place. */
static intptr_t split(uint64_t *keys, intptr_t count) {
    uint64_t *last = keys + count - 1, *place = keys, pivot = keys[count / 2];
    keys[count / 2] = *last;
    *last = pivot;
    for (uint64_t *at = keys; at <= last; at++) {
        uint64_t key = *at;
        *at = *place;
        *place = key;
        place += key >= pivot; /* no branch: it could not be predicted */
    }
    return place - 1 - keys;
}

/* Moves the `limit` largest keys (fewer than all) to the front; the place of the least of these. */
static intptr_t choose(uint64_t *keys, intptr_t count, intptr_t limit) {
    for (intptr_t low = 0, high = count;;) {
        intptr_t at = low + split(keys + low, high - low);
        if (at == limit - 1) return at;
        if (at < limit) low = at + 1;
        else high = at;
    }
}

/* In descending order. Recursive for the smaller side only. */
static void sort(uint64_t *keys, intptr_t count) {
    while (count > 1) {
        intptr_t at = split(keys, count), rest = count - at - 1;
        sort(at < rest ? keys : keys + at + 1, at < rest ? at : rest);
        keys += at < rest ? at + 1 : 0;
        count = at < rest ? rest : at;
    }
}

static void keep(Best *best, uint64_t key) {
    best->keys[best->count++] = key;
    if (best->count < 2 * best->limit + SPARE) return;
    best->threshold = score_of(best->keys[choose(best->keys, best->count, best->limit)]);
    best->count = best->limit;
}

/* Adds what the lists have in the block of rows that begins at `base`; the number of postings. */
static intptr_t add(List *lists, intptr_t count, uint64_t base, float *sums) {
    uint64_t stop = base + BLOCK;
    intptr_t added = 0;
    for (List *list = lists; list < lists + count; list++) {
        const uint32_t *row = list->row, *end = list->end;
        const float *value = list->value, weight = list->weight;
        list->begin = row;
        for (; end - row >= 4 && row[3] < stop; row += 4, value += 4)
            for (int i = 0; i < 4; i++) sums[row[i] - base] += value[i] * weight;
        while (row < end && *row < stop) sums[*row++ - base] += *value++ * weight;
        added += row - list->begin, list->row = row, list->value = value;
    }
    return added;
}

/* Keeps positive sums of a block, and clears all. */
static void scan(uint64_t base, float *sums, Best *best) {
    if (best->allowed) {
        const uint8_t *allowed = best->allowed + base;
        uint64_t count = base < best->allowed_count ? best->allowed_count - base : 0;
        if (count > BLOCK) count = BLOCK;
        for (uint64_t i = 0; i < count; i++) sums[i] = allowed[i] ? sums[i] : 0;
        memset(sums + count, 0, (BLOCK - count) * sizeof *sums);
    }
    for (float *group = sums; group < sums + BLOCK; group += GROUP) {
        float threshold = best->threshold;
        int any = 0;
        for (int i = 0; i < GROUP; i++) any |= group[i] > threshold;
        if (!any) continue;
        for (float *sum = group; sum < group + GROUP; sum++)
            if (*sum > best->threshold) keep(best, key_of(*sum, base + (uint64_t)(sum - sums)));
    }
    memset(sums, 0, BLOCK * sizeof *sums);
}

/* The same by going over the lists once more; with `every`, keeps whatever belongs to a row in a list. */
static void revisit(const List *lists, intptr_t count, uint64_t base, Block *block, int every, Best *best) {
    for (const List *list = lists; list < lists + count; list++)
        for (const uint32_t *row = list->begin; row < list->row; row++) {
            float *sum = block->sums + (*row - base);
            uint8_t *seen = block->seen + (*row - base);
            int may = !best->allowed || (*row < best->allowed_count && best->allowed[*row]);
            if (may && (every ? !*seen : *sum > 0 && *sum >= best->threshold)) keep(best, key_of(*sum, *row));
            *seen = (uint8_t)every, *sum = 0;
        }
    if (every) memset(block->seen, 0, sizeof block->seen);
}

/* Fills in the lists of a query's terms that are not empty; how many. */
static intptr_t find(const Postings *part, const uint32_t *terms, const float *weights, intptr_t count, List *lists) {
    List *list = lists;
    for (intptr_t t = 0; t < count; t++) {
        intptr_t at = 0, high = part->count;
        while (at < high) {
            intptr_t middle = (at + high) / 2;
            if (part->terms[middle] < terms[t]) at = middle + 1;
            else high = middle;
        }
        if (at == part->count || part->terms[at] != terms[t]) continue;
        const uint32_t *row = part->rows + part->bounds[at], *end = part->rows + part->bounds[at + 1];
        if (row < end) *list++ = (List){row, row, end, part->values + part->bounds[at], weights[t]};
    }
    return list - lists;
}

/* Goes through the blocks that have postings. */
static void pass(List *lists, intptr_t count, Block *block, int every, Best *best) {
    for (;;) {
        uint64_t next = UINT64_MAX;
        for (const List *list = lists; list < lists + count; list++)
            if (list->row < list->end && *list->row < next) next = *list->row;
        if (next == UINT64_MAX) return;
        uint64_t base = next - next % BLOCK;
        if (add(lists, count, base, block->sums) < BLOCK / 8 || every) revisit(lists, count, base, block, every, best);
        else scan(base, block->sums, best);
    }
}

/* The best rows in any list of the query's terms and `allowed` (unless NULL), best first, and their sums; how many, at
   most `limit` (> 0), or -1 if there is no memory. Parts are in ascending order of rows. */
intptr_t largest_sums(const Postings *parts, intptr_t part_count, const uint32_t *terms, const float *weights,
                      intptr_t term_count, const uint8_t *allowed, uintptr_t allowed_count, intptr_t limit,
                      intptr_t *rows, float *scores) {
    Best best = {.limit = limit, .allowed = allowed, .allowed_count = allowed_count};
    best.keys = malloc((2 * (size_t)limit + SPARE) * sizeof *best.keys);
    List *lists = malloc(((size_t)term_count + 1) * sizeof *lists);
    Block *block = calloc(1, sizeof *block);
    intptr_t found = -1;
    if (best.keys && lists && block) {
        for (int every = 0; every < 2 && best.count < limit; every++) {
            best.count = 0;
            for (const Postings *part = parts; part < parts + part_count; part++)
                pass(lists, find(part, terms, weights, term_count, lists), block, every, &best);
        }
        if (best.count > limit) best.count = choose(best.keys, best.count, limit) + 1;
        sort(best.keys, found = best.count);
        for (intptr_t i = 0; i < found; i++) rows[i] = UINT32_MAX - (uint32_t)best.keys[i], scores[i] = score_of(best.keys[i]);
    }
    free(best.keys), free(lists), free(block);
    return found;
}
