/* A graph of near neighbours: the hierarchical one of Yu. A. Malkov and D. A. Yashunin (2016), called by links.py.

   What is new here is how distances are compared. A walk reads hundreds of rows from all over the memory and drops most
   of them at once, because they are farther than all candidates. So one byte a component is read first (codes.h): it
   proves nearly always that a row is too far, and only the few that may be near are read as floats. No row is dropped
   that would be kept with floats alone.

   Searches run beside insertion and lock nothing. A link is one word that is written at once and always names a node
   that is complete: its row is there before anybody can meet it, its links on a level before it is linked to on that
   level or above. Who reads links that are being chosen anew sees some of the old ones and some of the new. Only
   threads that insert lock a node, while they change its links, and only to get more room everybody has to leave. */

#define _DEFAULT_SOURCE

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "distance.h"

#define MOST_LEVELS 24
#define MOST_LINKS 512 /* of a node on one level */
#define ROWS_AHEAD 4   /* rows that are fetched before they are needed */
#define CHOSEN_TOGETHER 4 /* as most candidates are refused by one of the first */
#define OPEN 0x80000000u
#define HUGE_PAGES_FROM (8 << 20) /* bytes */

/* A node and its distance to what is searched for. In a pool, OPEN marks a node whose links were not looked at yet. */
typedef struct {
    float distance;
    uint32_t node;
} Near;

/* Which nodes a walk has met: those marked with the current epoch. */
typedef struct Visited {
    struct Visited *next;
    uint16_t *marks, epoch;
    intptr_t capacity;
} Visited;

/* What a thread needs to walk. */
typedef struct {
    Query codes;
    Near *pool;
    Visited *visited;
} Walker;

/* Links of a node on one level: their number, and so many nodes. The distances stand at the same places elsewhere, as
   only insertion needs them. */
typedef struct {
    intptr_t size, wide, stride, m, width, capacity, count, linked;
    int measure, top;
    float slack;
    uint32_t entry;
    uint64_t random;
    float *rows;
    uint8_t *records, *levels, *locks;
    uint32_t *ground, **upper;       /* `upper` of a node: one block for each level above the ground */
    float *ground_spans, **upper_spans;
    pthread_mutex_t entering, lending;
    Visited *idle;
    Walker builder; /* of the thread that inserts; others may join it */
} Graph;

INLINED const float *row_of(const Graph *g, uint32_t node) { return g->rows + (intptr_t)node * g->size; }

INLINED Head *record_of(const Graph *g, uint32_t node) { return (Head *)(g->records + (intptr_t)node * g->stride); }

INLINED intptr_t room_on(const Graph *g, int level) { return level ? g->m : 2 * g->m; }

INLINED uint32_t *links_of(const Graph *g, uint32_t node, int level) {
    if (level == 0) return g->ground + (intptr_t)node * (2 * g->m + 1);
    return g->upper[node] + (intptr_t)(level - 1) * (g->m + 1);
}

INLINED float *spans_of(const Graph *g, uint32_t node, int level) {
    if (level == 0) return g->ground_spans + (intptr_t)node * (2 * g->m + 1);
    return g->upper_spans[node] + (intptr_t)(level - 1) * (g->m + 1);
}

INLINED void lock(Graph *g, uint32_t node) {
    for (int tries = 0; __atomic_exchange_n(&g->locks[node], 1, __ATOMIC_ACQUIRE); tries++)
        if (tries > 64) sched_yield();
}

INLINED void unlock(Graph *g, uint32_t node) { __atomic_store_n(&g->locks[node], 0, __ATOMIC_RELEASE); }

/* Links change while others read them. */
INLINED uint32_t load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

INLINED void store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

INLINED float distance_to(const Graph *g, const float *query, uint32_t node) {
    return distance(g->measure, g->size, query, row_of(g, node));
}

INLINED int met(Visited *visited, uint32_t node) {
    if (visited->marks[node] == visited->epoch) return 1;
    visited->marks[node] = visited->epoch;
    return 0;
}

static Visited *borrow(Graph *g) {
    pthread_mutex_lock(&g->lending);
    Visited *visited = g->idle;
    if (visited) g->idle = visited->next;
    pthread_mutex_unlock(&g->lending);
    if (visited && visited->capacity >= g->capacity) return visited;
    if (!visited && !(visited = calloc(1, sizeof *visited))) return NULL;
    free(visited->marks);
    visited->epoch = 0;
    visited->capacity = g->capacity;
    if (!(visited->marks = calloc((size_t)g->capacity, sizeof *visited->marks))) {
        free(visited);
        return NULL;
    }
    return visited;
}

static void give_back(Graph *g, Visited *visited) {
    if (!visited) return;
    pthread_mutex_lock(&g->lending);
    visited->next = g->idle;
    g->idle = visited;
    pthread_mutex_unlock(&g->lending);
}

/* Begins another walk. */
static void forget_all(Visited *visited) {
    if (++visited->epoch) return;
    memset(visited->marks, 0, (size_t)visited->capacity * sizeof *visited->marks);
    visited->epoch = 1;
}

/* Copies the links of a node that were not met before; returns their number. */
INLINED intptr_t unmet_links(const Graph *g, uint32_t node, int level, Visited *visited, uint32_t *unmet) {
    intptr_t count = 0;
    const uint32_t *links = links_of(g, node, level), known = load(links);
    for (uint32_t i = 1; i <= known; i++) {
        const uint32_t other = load(links + i);
        if (!met(visited, other)) unmet[count++] = other;
    }
    return count;
}

/* Puts a node into a pool that is sorted by distance; the last one falls out if there is no room. Returns its place. */
INLINED intptr_t take_in(Near *pool, intptr_t *filled, intptr_t width, Near node) {
    intptr_t low = 0, high = *filled;
    while (low < high) {
        const intptr_t middle = (low + high) / 2;
        if (pool[middle].distance <= node.distance)
            low = middle + 1;
        else
            high = middle;
    }
    const intptr_t moved = (*filled < width ? *filled : width - 1) - low;
    memmove(pool + low + 1, pool + low, (size_t)moved * sizeof *pool);
    pool[low] = node;
    if (*filled < width) ++*filled;
    return low;
}

/* Keeps those nodes of which the codes do not prove that they are farther; returns their number. */
INLINED intptr_t not_farther(const Graph *g, const Query *codes, float bound, uint32_t *nodes, intptr_t count) {
    const Head *heads[MOST_LINKS];
    float least[TOGETHER];
    intptr_t kept = 0;
    if (!codes->told) return count;
    for (intptr_t i = 0; i < count; i++) heads[i] = record_of(g, nodes[i]);
    for (intptr_t i = 0; i < count && i < AHEAD; i++) fetch(heads[i], g->stride);
    for (intptr_t begin = 0; begin < count; begin += TOGETHER) {
        const intptr_t left = count - begin, now = left < TOGETHER ? left : TOGETHER;
        least_from_query(g->measure, g->slack, codes, heads + begin, now, left, g->wide, least);
        for (intptr_t i = 0; i < now; i++)
            if (!(least[i] >= bound)) nodes[kept++] = nodes[begin + i];
    }
    return kept;
}

/* Collects the `width` nearest nodes of a level, nearest first, beginning at one. Returns their number. */
INLINED intptr_t walk(const Graph *g, const float *query, const Query *codes, Near begin, int level, intptr_t width,
                      Visited *visited, Near *pool) {
    uint32_t unmet[MOST_LINKS];
    const intptr_t row_bytes = g->size * (intptr_t)sizeof(float);
    intptr_t filled = 1, next = 0;
    forget_all(visited);
    met(visited, begin.node);
    pool[0] = (Near){begin.distance, begin.node | OPEN};
    while (next < filled) {
        if (!(pool[next].node & OPEN)) {
            next++;
            continue;
        }
        const uint32_t node = pool[next].node &= ~OPEN;
        const intptr_t count = unmet_links(g, node, level, visited, unmet);
        const intptr_t maybe = filled < width ? count : not_farther(g, codes, pool[width - 1].distance, unmet, count);
        for (intptr_t i = 0; i < maybe && i < ROWS_AHEAD; i++) fetch(row_of(g, unmet[i]), row_bytes);
        for (intptr_t i = 0; i < maybe; i++) {
            if (i + ROWS_AHEAD < maybe) fetch(row_of(g, unmet[i + ROWS_AHEAD]), row_bytes);
            const float found = distance_to(g, query, unmet[i]);
            if (filled == width && !(found < pool[width - 1].distance)) continue;
            const intptr_t at = take_in(pool, &filled, width, (Near){found, unmet[i] | OPEN});
            if (at < next) next = at;
        }
    }
    return filled;
}

/* Goes to the nearest node of each level from `from` down to `to`, step by step. */
INLINED Near descend(const Graph *g, const float *query, const Query *codes, Near at, int from, int to) {
    uint32_t others[MOST_LINKS];
    for (int level = from; level >= to; level--) {
        for (int moved = 1; moved;) {
            moved = 0;
            const uint32_t *links = links_of(g, at.node, level), count = load(links);
            for (uint32_t i = 0; i < count; i++) others[i] = load(links + i + 1);
            const intptr_t maybe = not_farther(g, codes, at.distance, others, count);
            for (intptr_t i = 0; i < maybe; i++) {
                const float found = distance_to(g, query, others[i]);
                if (found < at.distance) {
                    at = (Near){found, others[i]};
                    moved = 1;
                }
            }
        }
    }
    return at;
}

/* Whether a candidate is nearer to the new node than to any of those chosen before. */
INLINED int stands_apart(const Graph *g, Near candidate, const Near *chosen, const Head *const *heads, intptr_t count) {
    float least[TOGETHER];
    for (intptr_t begin = 0; begin < count; begin += CHOSEN_TOGETHER) {
        const intptr_t left = count - begin, now = left < CHOSEN_TOGETHER ? left : CHOSEN_TOGETHER;
        least_from_row(g->measure, g->slack, record_of(g, candidate.node), heads + begin, now, 0, g->wide, least);
        for (intptr_t i = 0; i < now; i++) {
            if (least[i] >= candidate.distance) continue;
            if (!(distance_to(g, row_of(g, candidate.node), chosen[begin + i].node) >= candidate.distance)) return 0;
        }
    }
    return 1;
}

/* Of candidates, nearest first, keeps those that are nearer to the new node than to any kept before. */
INLINED intptr_t choose(const Graph *g, const Near *candidates, intptr_t count, intptr_t most, Near *chosen) {
    const Head *heads[MOST_LINKS];
    intptr_t kept = 0;
    for (intptr_t i = 0; i < count && kept < most; i++) {
        if (!stands_apart(g, candidates[i], chosen, heads, kept)) continue;
        heads[kept] = record_of(g, candidates[i].node);
        chosen[kept++] = candidates[i];
    }
    return kept;
}

/* Walks begin at this node from now on. Who still sees the former top may begin at the new node as well. */
static void enter_at(Graph *g, uint32_t node, int level) {
    store(&g->entry, node);
    __atomic_store_n(&g->top, level, __ATOMIC_RELEASE);
}

static void write_links(const Graph *g, uint32_t node, int level, const Near *chosen, intptr_t count) {
    uint32_t *links = links_of(g, node, level);
    float *spans = spans_of(g, node, level);
    for (intptr_t i = 0; i < count; i++) {
        store(links + i + 1, chosen[i].node);
        spans[i + 1] = chosen[i].distance;
    }
    store(links, (uint32_t)count);
}

/* Links a node back to a new one; if it has too many then, the best are chosen anew. */
INLINED void link_back(Graph *g, uint32_t node, int level, Near fresh) {
    Near candidates[MOST_LINKS + 1], chosen[MOST_LINKS];
    lock(g, node);
    uint32_t *links = links_of(g, node, level);
    float *spans = spans_of(g, node, level);
    const intptr_t count = links[0], room = room_on(g, level);
    if (count < room) {
        store(links + count + 1, fresh.node);
        spans[count + 1] = fresh.distance;
        store(links, (uint32_t)count + 1);
    } else {
        intptr_t sorted = 0;
        for (intptr_t i = 1; i <= count; i++)
            take_in(candidates, &sorted, MOST_LINKS + 1, (Near){spans[i], links[i]});
        take_in(candidates, &sorted, MOST_LINKS + 1, fresh);
        write_links(g, node, level, chosen, choose(g, candidates, sorted, room, chosen));
    }
    unlock(g, node);
}

static int equip(Graph *g, Walker *walker, intptr_t width) {
    walker->codes = query_room(g->wide);
    walker->pool = malloc((size_t)width * sizeof(Near));
    walker->visited = borrow(g);
    return walker->codes.steps && walker->pool && walker->visited;
}

static void release(Graph *g, Walker *walker) {
    free(walker->codes.steps);
    free(walker->pool);
    give_back(g, walker->visited);
    *walker = (Walker){{NULL, NULL, {0, 0, 0}, 0}, NULL, NULL};
}

/* Links a node with its neighbours of a level, which it is the first to know. */
INLINED void link_level(Graph *g, uint32_t node, int level) {
    Near neighbours[MOST_LINKS];
    const uint32_t *links = links_of(g, node, level), count = links[0];
    const float *spans = spans_of(g, node, level);
    for (uint32_t i = 0; i < count; i++) neighbours[i] = (Near){spans[i + 1], links[i + 1]};
    for (uint32_t i = 0; i < count; i++)
        link_back(g, neighbours[i].node, level, (Near){neighbours[i].distance, node});
}

FOR_EACH_PROCESSOR
static void insert(Graph *g, uint32_t node, Walker *walker) {
    Near chosen[MOST_LINKS];
    const int level = g->levels[node];
    const float *query = row_of(g, node);
    pthread_mutex_lock(&g->entering);
    const int top = g->top;
    Near at = {0, g->entry};
    if (top < 0) enter_at(g, node, level);
    /* One node at a time may raise the top. */
    if (top < 0 || level <= top) pthread_mutex_unlock(&g->entering);
    if (top < 0) return;

    round_query(query, g->size, g->wide, &walker->codes);
    at.distance = distance_to(g, query, at.node);
    at = descend(g, query, &walker->codes, at, top, level + 1);
    const int highest = level < top ? level : top;
    for (int l = highest; l >= 0; l--) {
        const intptr_t found = walk(g, query, &walker->codes, at, l, g->width, walker->visited, walker->pool);
        for (intptr_t i = 0; i < found; i++) walker->pool[i].node &= ~OPEN;
        write_links(g, node, l, chosen, choose(g, walker->pool, found, room_on(g, l), chosen));
        at = walker->pool[0];
    }
    for (int l = 0; l <= highest; l++) link_level(g, node, l);
    if (level > top) {
        enter_at(g, node, level);
        pthread_mutex_unlock(&g->entering);
    }
}

/* Nodes that are to be inserted, by several threads. */
typedef struct {
    Graph *graph;
    intptr_t next, end;
} Work;

static void insert_all(Work *work, Walker *walker) {
    for (intptr_t node; (node = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED)) < work->end;)
        insert(work->graph, (uint32_t)node, walker);
}

static void *join_in(void *given) {
    Work *work = given;
    Walker walker;
    if (equip(work->graph, &walker, work->graph->width)) insert_all(work, &walker);
    release(work->graph, &walker);
    return NULL;
}

/* From xorshift64*: uniform in (0, 1]. */
static double random_share(Graph *g) {
    g->random ^= g->random >> 12;
    g->random ^= g->random << 25;
    g->random ^= g->random >> 27;
    return ((double)((g->random * 2685821657736338717u) >> 11) + 1) / 9007199254740992.0;
}

/* More room, at the same place where possible; what is read all over the memory lies on huge pages where there are. */
static int resized(void *array, intptr_t count, size_t item) {
    void **place = array;
    const size_t bytes = (size_t)count * item;
    void *moved = realloc(*place, bytes ? bytes : 1);
    if (!moved) return 0;
    *place = moved;
#ifdef MADV_HUGEPAGE
    if (bytes >= HUGE_PAGES_FROM) {
        const uintptr_t page = 4096, begin = ((uintptr_t)moved + page - 1) / page * page;
        madvise((void *)begin, ((uintptr_t)moved + bytes - begin) / page * page, MADV_HUGEPAGE);
    }
#endif
    return 1;
}

void graph_free(Graph *g) {
    if (!g) return;
    release(g, &g->builder);
    for (Visited *visited = g->idle; visited;) {
        Visited *next = visited->next;
        free(visited->marks);
        free(visited);
        visited = next;
    }
    for (intptr_t i = 0; i < g->count && g->upper; i++) {
        free(g->upper[i]);
        free(g->upper_spans[i]);
    }
    free(g->rows), free(g->records), free(g->levels), free(g->locks), free(g->ground), free(g->upper);
    free(g->ground_spans), free(g->upper_spans);
    pthread_mutex_destroy(&g->entering);
    pthread_mutex_destroy(&g->lending);
    free(g);
}

/* An empty graph; NULL if there is no memory for it. `m` links a node, twice as many on the ground; `width` candidates
   for them. */
Graph *graph_new(intptr_t size, intptr_t m, intptr_t width, int euclid, float slack) {
    Graph *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->size = size;
    g->stride = record_bytes(size);
    g->wide = g->stride - (intptr_t)sizeof(Head);
    g->m = 2 * m > MOST_LINKS ? MOST_LINKS / 2 : m < 2 ? 2 : m;
    g->width = width > 2 * g->m ? width : 2 * g->m;
    g->measure = euclid ? EUCLID : DOT;
    g->slack = slack;
    g->top = -1;
    g->random = 0x9E3779B97F4A7C15u;
    pthread_mutex_init(&g->entering, NULL);
    pthread_mutex_init(&g->lending, NULL);
    return g;
}

static int reserve(Graph *g, intptr_t capacity) {
    if (capacity <= g->capacity) return 1;
    if (capacity < g->capacity + g->capacity / 2) capacity = g->capacity + g->capacity / 2;
    const size_t links = (size_t)(2 * g->m + 1);
    if (!resized(&g->rows, capacity, (size_t)g->size * sizeof *g->rows) ||
        !resized(&g->records, capacity, (size_t)g->stride) || !resized(&g->levels, capacity, 1) ||
        !resized(&g->locks, capacity, 1) || !resized(&g->ground, capacity, links * sizeof *g->ground) ||
        !resized(&g->ground_spans, capacity, links * sizeof *g->ground_spans) ||
        !resized(&g->upper, capacity, sizeof *g->upper) ||
        !resized(&g->upper_spans, capacity, sizeof *g->upper_spans))
        return 0;
    g->capacity = capacity;
    return 1;
}

/* Room for the links of a node, none yet. */
static int make_node(Graph *g, uint32_t node, const float *row) {
    const double levels = -log(random_share(g)) / log((double)g->m);
    const int level = levels < MOST_LEVELS ? (int)levels : MOST_LEVELS;
    g->levels[node] = (uint8_t)level;
    g->locks[node] = 0;
    g->upper[node] = NULL;
    g->upper_spans[node] = NULL;
    links_of(g, node, 0)[0] = 0;
    memcpy(g->rows + (intptr_t)node * g->size, row, (size_t)g->size * sizeof *row);
    memset(record_of(g, node), 0, (size_t)g->stride);
    if (!level) return 1;
    g->upper[node] = calloc((size_t)(level * (g->m + 1)), sizeof **g->upper);
    g->upper_spans[node] = calloc((size_t)(level * (g->m + 1)), sizeof **g->upper_spans);
    return g->upper[node] && g->upper_spans[node];
}

FOR_EACH_PROCESSOR
static void encode_nodes(Graph *g, intptr_t first, intptr_t end) {
    for (intptr_t node = first; node < end; node++)
        encode(row_of(g, (uint32_t)node), g->size, record_of(g, (uint32_t)node));
}

/* Takes rows as the nodes that follow the last one, which nobody can meet yet. Returns 0, or -1 if there is no memory: the
   graph is then as before. Nobody may search or link meanwhile. */
int graph_place(Graph *g, const float *rows, intptr_t count) {
    const intptr_t first = g->count, end = first + count;
    if (count <= 0) return 0;
    if (end >= (intptr_t)OPEN || !reserve(g, end)) return -1;
    intptr_t made = first;
    while (made < end && make_node(g, (uint32_t)made, rows + (made - first) * g->size)) made++;
    release(g, &g->builder);
    if (made < end || !equip(g, &g->builder, g->width)) {
        for (intptr_t node = first; node < end && node <= made; node++) free(g->upper[node]), free(g->upper_spans[node]);
        return -1;
    }
    encode_nodes(g, first, end);
    __atomic_store_n(&g->count, end, __ATOMIC_RELAXED);
    return 0;
}

/* Links all nodes that were placed. Others may search meanwhile. */
void graph_link(Graph *g, intptr_t threads) {
    const intptr_t count = g->count - g->linked;
    Work work = {g, g->linked, g->count};
    pthread_t others[64];
    intptr_t started = 0;
    if (threads > 64) threads = 64;
    while (started < threads - 1 && started * 4 < count && !pthread_create(others + started, NULL, join_in, &work))
        started++;
    insert_all(&work, &g->builder);
    for (intptr_t i = 0; i < started; i++) pthread_join(others[i], NULL);
    g->linked = g->count;
}

/* Finds the `width` nearest nodes, nearest first. Returns their number, or -1 if there is no memory. */
FOR_EACH_PROCESSOR
intptr_t graph_search(Graph *g, const float *query, intptr_t width, intptr_t *found) {
    Walker walker;
    intptr_t count = -1;
    const int top = __atomic_load_n(&g->top, __ATOMIC_ACQUIRE);
    if (top < 0 || width <= 0) return 0;
    if (equip(g, &walker, width)) {
        const uint32_t entry = load(&g->entry);
        round_query(query, g->size, g->wide, &walker.codes);
        Near at = {distance_to(g, query, entry), entry};
        at = descend(g, query, &walker.codes, at, top, 1);
        count = walk(g, query, &walker.codes, at, 0, width, walker.visited, walker.pool);
        for (intptr_t i = 0; i < count; i++) found[i] = (intptr_t)walker.pool[i].node;
    }
    release(g, &walker);
    return count;
}

/* Bytes in use. */
intptr_t graph_bytes(const Graph *g) {
    const intptr_t links = (2 * g->m + 1) * (intptr_t)(sizeof *g->ground + sizeof *g->ground_spans);
    const intptr_t row = g->size * (intptr_t)sizeof *g->rows;
    return __atomic_load_n(&g->count, __ATOMIC_RELAXED) * (row + g->stride + links + 18);
}
