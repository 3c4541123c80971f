/* How far are two rows from each other, and how far at least, by what their bytes tell? Smaller is nearer. */

#ifndef QDLITE_DISTANCE_H
#define QDLITE_DISTANCE_H

#include "codes.h"

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

/* No distance, of the first two kinds, that is computed from rows of these lengths is smaller than this. `slack` is the
   relative rounding error of such distances. */
INLINED float least_distance(int measure, float slack, Estimate dot, float one, float other) {
    const float error = dot.error + slack * one * other;
    if (!(error < INFINITY)) return -INFINITY; /* also if it is no number */
    if (measure == DOT) return -dot.dot - error;
    const float squares = one * one + other * other;
    return squares - 2 * (dot.dot + error) - slack * squares;
}

#endif
