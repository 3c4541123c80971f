"""How does text become tokens? Shared by BM25 and by the full-text payload index."""
