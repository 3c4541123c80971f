"""The state of one collection: its points, vectors, payload and configuration, and every way to change or read them."""
