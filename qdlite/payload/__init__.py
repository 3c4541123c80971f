"""Payloads: JSON values, where they are stored, and the columns that filters look at."""
