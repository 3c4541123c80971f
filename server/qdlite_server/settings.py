"""What may be set, by option or environment variable?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Settings:
    """Settings of a server; the defaults need no configuration."""

    host: str = "127.0.0.1"
    port: int = 6333
    models_dirs: tuple[Path, ...] = ()
    offline: bool = False
    inference: bool = True
    log_level: str = "info"
    max_request_mb: int = 32
    snapshots_dir: Path | None = None


class BadSetting(ValueError):
    """An environment variable has a value that cannot be used; the text names both."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that QDLITE_* variables give. Raises BadSetting."""
    default = Settings()
    folders = [part for part in environment.get("QDLITE_MODELS_DIR", "").split(os.pathsep) if part]
    return Settings(
        host=environment.get("QDLITE_HOST", default.host),
        port=_number(environment, "QDLITE_PORT", default.port),
        models_dirs=tuple(Path(part) for part in folders),
        offline=flag(environment, "QDLITE_OFFLINE"),
        inference=not flag(environment, "QDLITE_NO_INFERENCE"),
        log_level=_level(environment, default.log_level),
        max_request_mb=_number(environment, "QDLITE_MAX_REQUEST_MB", default.max_request_mb),
        snapshots_dir=Path(folder) if (folder := environment.get("QDLITE_SNAPSHOTS_DIR")) else None,
    )


_FLAGS = {"": False, "0": False, "false": False, "no": False, "off": False} | dict.fromkeys(
    ("1", "true", "yes", "on"), True
)


def flag(environment: Mapping[str, str], name: str) -> bool:
    """Whether a variable says yes; unset is no. Raises BadSetting."""
    value = environment.get(name, "").strip().lower()
    if value not in _FLAGS:
        raise BadSetting(f"{name} is {environment[name]!r}, it must be one of 1, true, yes, on, 0, false, no, off")
    return _FLAGS[value]


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name, str(default)).strip()
    if not (value.isascii() and value.isdigit()):
        raise BadSetting(f"{name} is {value!r}, it must be a whole number")
    return int(value)


def _level(environment: Mapping[str, str], default: str) -> str:
    value = environment.get("QDLITE_LOG_LEVEL", default).lower()
    if value not in LOG_LEVELS:
        raise BadSetting(f"QDLITE_LOG_LEVEL is {value!r}, it must be one of {', '.join(LOG_LEVELS)}")
    return value
