"""The fixtures of `tests/faces.py`: a database behind both faces. And a raw connection to what a test serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.faces import client, database, face, http, server
from tests.inference.stub import stub
from tests.inference.tiny import tiny, tiny_models
from tests.server.raw import Raw

__all__ = ["client", "database", "face", "http", "server", "stub", "tiny", "tiny_models"]


@pytest.fixture
def raw(url: str) -> Iterator[Raw]:
    """`url` is a fixture of the test's own file."""
    with closing(Raw(url)) as made:
        yield made
