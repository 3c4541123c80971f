"""Does a text spell a UUID, and which one?"""

from __future__ import annotations

from qdlite.models.common import point_id


def canonical_uuid(text: str) -> str | None:
    """The UUID that a text spells (hyphenated or not, as URN or in braces), lower-case and hyphenated; else None."""
    if not 32 <= len(text) <= 45:
        return None
    try:
        return str(point_id(text))
    except ValueError:
        return None
