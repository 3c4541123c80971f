"""The fixtures of `tests/faces.py`: a database behind both faces."""

from __future__ import annotations

from tests.faces import client, database, face, http, server
from tests.inference.stub import stub
from tests.inference.tiny import tiny, tiny_models

__all__ = ["client", "database", "face", "http", "server", "stub", "tiny", "tiny_models"]
