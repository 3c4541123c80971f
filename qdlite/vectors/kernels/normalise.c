/* What is a row when it is scaled to length one? */

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "kernels.h"

#define TINY FLT_EPSILON
#define NEAR 1e-6f

/* Writes a row divided by its length to `scaled` and returns 1; 0 if it is to be left as it is, its squared length being
   less than TINY or within NEAR of 1; -1 if that is no finite number. */
FOR_EACH_PROCESSOR
intptr_t normalise(const float *row, intptr_t size, float *scaled) {
    float square = 0;
#pragma omp simd reduction(+ : square)
    for (intptr_t j = 0; j < size; j++) square += row[j] * row[j];
    if (!isfinite(square)) return -1;
    if (square < TINY || fabsf(square - 1) <= NEAR) return 0;
    const float length = sqrtf(square);
    for (intptr_t j = 0; j < size; j++) scaled[j] = row[j] / length;
    return 1;
}
