"""What may collections and vectors be called? Rules for names, in paths and in bodies."""

from __future__ import annotations

_UNSAFE = '<>:"/\\|?*\0\x1f'
"""Characters that cannot stand in file names somewhere."""
_LONGEST_COLLECTION = 255
_LONGEST_VECTOR = 200
"""In bytes."""


def collection_name(name: str) -> str | None:
    """For collections that may exist: Qdrant once took names that it refuses for new ones."""
    return _collection_name(name, "/\0")


def new_collection_name(name: str) -> str | None:
    return _collection_name(name, _UNSAFE)


def vector_name(name: str) -> str | None:
    if len(name.encode()) > _LONGEST_VECTOR:
        return f"vector name must be at most {_LONGEST_VECTOR} bytes long"
    return _without(_UNSAFE, name, "vector name")


def _collection_name(name: str, forbidden: str) -> str | None:
    if not 1 <= len(name) <= _LONGEST_COLLECTION:
        return f'value "{name}" invalid, must be from 1 to {_LONGEST_COLLECTION} characters'
    return _without(forbidden, name, "collection name")


def _without(forbidden: str, name: str, kind: str) -> str | None:
    found = next((character for character in forbidden if character in name), None)
    return None if found is None else f'{kind} cannot contain "{found}" char'
