/* What the kernels need of compilers. */

#ifndef QDLITE_KERNELS_H
#define QDLITE_KERNELS_H

#include <stdint.h>

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
/* Into each version of a function, so that there is a version of what it calls. */
#define INLINED static inline __attribute__((always_inline))
#else
#define PREFETCH(address) ((void)0)
#define INLINED static inline
#endif

/* One version of a function for each generation of processors; which one runs is decided when the library is loaded. */
#if defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FOR_EACH_PROCESSOR
#endif

#endif
