"""The fixtures of `tests/faces.py`: a database, and a server for it."""

from __future__ import annotations

from tests.faces import database, server

__all__ = ["database", "server"]
