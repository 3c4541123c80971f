/* From which sources was the library compiled? So that it is noticed when they change. */

#include <stdint.h>

const uint32_t sources_checksum = SOURCES;
