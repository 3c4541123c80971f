"""Do environment variables say the same as options?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qdlite_server.settings import BadSetting, Settings, from_environment


def test_nothing_set() -> None:
    assert from_environment({}) == Settings()


def test_everything_set() -> None:
    environment = {
        "QDLITE_HOST": "0.0.0.0",
        "QDLITE_PORT": "7000",
        "QDLITE_MODELS_DIR": os.pathsep.join(["a", "b"]),
        "QDLITE_OFFLINE": "1",
        "QDLITE_NO_INFERENCE": "true",
        "QDLITE_LOG_LEVEL": "DEBUG",
        "QDLITE_MAX_REQUEST_MB": "64",
        "QDLITE_SNAPSHOTS_DIR": "snapshots",
    }
    assert from_environment(environment) == Settings(
        host="0.0.0.0",
        port=7000,
        models_dirs=(Path("a"), Path("b")),
        offline=True,
        inference=False,
        log_level="debug",
        max_request_mb=64,
        snapshots_dir=Path("snapshots"),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QDLITE_PORT", "http"),
        ("QDLITE_OFFLINE", "maybe"),
        ("QDLITE_LOG_LEVEL", "loud"),
        ("QDLITE_MAX_REQUEST_MB", "-1"),
    ],
)
def test_bad_values_are_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"{name} is '{value}'"):
        from_environment({name: value})
