"""Filters: from conditions on points to masks of offsets."""
