/* What is a row when it is scaled to length one? */

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "kernels.h"

#define TINY FLT_EPSILON
#define NEAR 1e-6f

/* Writes a row divided by its length to `scaled`; returns 0, having written nothing, if its squared length is less than
   TINY, within NEAR of 1, or no finite number. */
FOR_EACH_PROCESSOR
intptr_t normalise(const float *row, intptr_t size, float *scaled) {
    float square = 0;
#pragma omp simd reduction(+ : square)
    for (intptr_t j = 0; j < size; j++) square += row[j] * row[j];
    if (!(square >= TINY) || fabsf(square - 1) <= NEAR || !isfinite(square)) return 0;
    const float length = sqrtf(square);
    for (intptr_t j = 0; j < size; j++) scaled[j] = row[j] / length;
    return 1;
}
