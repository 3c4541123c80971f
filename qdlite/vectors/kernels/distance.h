/* How far are two rows from each other, and how far at least, by what their bytes tell? Smaller is nearer. */

#ifndef QDLITE_DISTANCE_H
#define QDLITE_DISTANCE_H

#include "products.h"

/* Minus the dot product; the squared distance; the sum of absolute differences. */
enum { DOT, EUCLID, MANHATTAN };

INLINED float distance(int measure, intptr_t size, const float *one, const float *other) {
    float sum = 0;
    if (measure == DOT) {
#pragma omp simd reduction(+ : sum)
        for (intptr_t j = 0; j < size; j++) sum += one[j] * other[j];
        return -sum;
    }
    if (measure == EUCLID) {
#pragma omp simd reduction(+ : sum)
        for (intptr_t j = 0; j < size; j++) sum += (one[j] - other[j]) * (one[j] - other[j]);
        return sum;
    }
#pragma omp simd reduction(+ : sum)
    for (intptr_t j = 0; j < size; j++) sum += fabsf(one[j] - other[j]);
    return sum;
}

/* Writes bounds to `least`: no distance, of the first two kinds, between `one` and these rows that is computed from
   components is smaller. `slack` is the relative rounding error of such distances. */
INLINED void least_distances(int measure, float slack, Rounded one, const Products *of, intptr_t count, float *least) {
#pragma omp simd
    for (intptr_t i = 0; i < count; i++) {
        const float dot = of->scales[i] * one.scale * (float)of->sums[i], length = of->lengths[i];
        const float rounding = one.length * of->residuals[i] + one.residual * (length + of->residuals[i]);
        const float error = 1.001f * rounding + slack * one.length * length;
        const float squares = one.length * one.length + length * length;
        const float bound = measure == DOT ? -dot - error : squares - 2 * (dot + error) - slack * squares;
        least[i] = error < INFINITY ? bound : -INFINITY; /* also if it is no number */
    }
}

INLINED void least_from_query(int measure, float slack, const Query *query, const Head *const *rows, intptr_t count,
                              intptr_t known, intptr_t wide, float *least) {
    Products made;
    query_products(query, rows, count, known, wide, &made);
    least_distances(measure, slack, query->rounded, &made, count, least);
}

INLINED void least_from_row(int measure, float slack, const Head *row, const Head *const *rows, intptr_t count,
                            intptr_t known, intptr_t wide, float *least) {
    Products made;
    row_products(row, rows, count, known, wide, &made);
    least_distances(measure, slack, row->rounded, &made, count, least);
}

#endif
