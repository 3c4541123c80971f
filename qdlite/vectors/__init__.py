"""Storage and nearest-neighbour search of one named vector, over offsets and masks."""
