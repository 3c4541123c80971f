"""The fixtures of `tests/faces.py`: a database behind both faces."""

from __future__ import annotations

from tests.faces import client, database, face, http, server

__all__ = ["client", "database", "face", "http", "server"]
