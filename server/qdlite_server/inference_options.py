"""Which options does inference have on the command line and in the environment?"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qdlite_server.settings import BadSetting, flag

if TYPE_CHECKING:
    from qdlite.database import InferenceSettings
    from qdlite_server.routes.inference import Service

_PROVIDERS = ("openai", "cohere", "jinaai", "openrouter")


@dataclass(frozen=True)
class Option:
    """One option: `--name VALUE`, or `QDLITE_NAME`. `target` is a field of the settings, with the part it is in.

    `parse` raises ValueError with the reason. Options with a `separator` may be given several times, or as a list in
    the environment. Those without a `metavar` take no value and set the field to `parse("")`.
    """

    name: str
    target: str
    help: str
    metavar: str = ""
    parse: Callable[[str], Any] = str
    separator: str = ""

    @property
    def variable(self) -> str:
        return f"QDLITE_{self.name.upper().replace('-', '_')}"


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError("must be a positive whole number")
    return int(text)


def size(text: str) -> int:
    """Megabytes as bytes; 0 is allowed."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number of megabytes")
    return int(text) * 2**20


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise ValueError("must be a positive number of seconds")
    return value


def url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that starts with http:// or https://")
    return text


def provider_url(text: str) -> tuple[str, str]:
    prefix, equals, address = text.partition("=")
    if not equals or prefix not in _PROVIDERS:
        raise ValueError(f"must be PREFIX=URL with one of {', '.join(_PROVIDERS)} as prefix")
    return prefix, url(address)


def path(text: str) -> str:
    if not text.startswith("/") or len(text) < 2 or "{" in text:
        raise ValueError("must be a path that starts with a slash")
    return text


def on(text: str) -> bool:
    return True


def off(text: str) -> bool:
    return False


LOCAL: tuple[Option, ...] = (
    Option("models-file", "models", "file with models of your own (TOML, YAML, JSON)", "FILE", Path, os.pathsep),
    Option("cache-dir", "cache_dir", "folder for downloaded models (default: fastembed's)", "DIR", Path),
    Option("allow-model", "allowed_models", "a model that may be used; * is any text", "NAME", str, ","),
)  # fmt: skip
"""For every command."""

SERVING: tuple[Option, ...] = (
    Option("threads", "threads", "threads of each model (default: one a core)", "N", number),
    Option("max-loaded-models", "max_loaded_models", "models kept in memory (default: 8)", "N", number),
    Option("max-model-memory", "max_model_bytes", "megabytes of models kept in memory", "MB", size),
    Option("max-waiting", "max_waiting", "inputs that may wait for one model (default: 10000)", "N", number),
    Option("max-text-length", "max_text_length", "characters of one text (default: 1000000)", "N", number),
    Option("embedding-cache", "embedding_cache_bytes", "megabytes of remembered vectors (default: 0)", "MB", size),
    Option("inference-url", "inference_url", "service for all models that are not built in", "URL", url),
    Option("inference-token", "inference_token", "token for that service", "TOKEN"),
    Option("inference-timeout", "inference_timeout", "seconds for inference (default: 600)", "S", seconds),
    Option("provider-url", "providers.base_urls", "e.g. openai=http://host/v1", "PREFIX=URL", provider_url, ","),
    Option("provider-timeout", "providers.timeout", "seconds for a call of a provider (default: 60)", "S", seconds),
    Option("no-image-urls", "images.fetch", "take images as base64 only", parse=off),
    Option("allow-private-image-urls", "images.allow_private_addresses", "fetch from private addresses too", parse=on),
    Option("max-image-mb", "images.max_bytes", "megabytes of an image (default: 20)", "MB", size),
    Option("max-image-pixels", "images.max_pixels", "pixels of an image (default: 50000000)", "N", number),
    Option("image-timeout", "images.timeout", "seconds to fetch an image (default: 15)", "S", seconds),
    Option("infer-path", "service.path", "path of the service for Qdrant nodes (default: /infer)", "PATH", path),
    Option("service-token", "service.token", "token that users of /infer and /v1 must send", "TOKEN"),
)  # fmt: skip
"""For the server alone."""


def add(parser: argparse.ArgumentParser, options: tuple[Option, ...]) -> None:
    group = parser.add_argument_group("inference")
    for option in options:
        given: dict[str, Any] = {"dest": option.name, "help": option.help}
        if not option.metavar:
            given |= {"action": "store_const", "const": option.parse("")}
        else:
            given |= {"metavar": option.metavar, "type": _typed(option)}
            given |= {"action": "append"} if option.separator else {}
        group.add_argument(f"--{option.name}", **given)


def _typed(option: Option) -> Callable[[str], Any]:
    def typed(text: str) -> Any:
        try:
            return option.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} {error}") from None

    return typed


def from_environment(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Values by option name. Raises BadSetting."""
    values = {}
    for option in (*LOCAL, *SERVING):
        text = environment.get(option.variable, "").strip()
        if not text:
            continue
        if not option.metavar:
            if flag(environment, option.variable):
                values[option.name] = option.parse("")
        elif option.separator:
            parts = (part.strip() for part in text.split(option.separator))
            values[option.name] = [_checked(option, part) for part in parts if part]
        else:
            values[option.name] = _checked(option, text)
    return values


def _checked(option: Option, text: str) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        raise BadSetting(f"{option.variable} is {text!r}, it {error}") from None


def chosen(namespace: argparse.Namespace, environment: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The values of all options that are set, by part of the settings and field; the command line wins."""
    parts: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for option in (*LOCAL, *SERVING):
        value = getattr(namespace, option.name, None)
        value = environment.get(option.name) if value is None else value
        if value is not None:
            part, _, field = option.target.rpartition(".")
            parts[part][field] = value
    return parts


def inference_settings(parts: Mapping[str, Mapping[str, Any]], **others: Any) -> InferenceSettings:
    """Raises InferenceError for a file of models that cannot be read."""
    from qdlite.database import ImageSettings, InferenceSettings, ProviderSettings, read_models

    plain = dict(parts.get("", {}))
    if "allowed_models" in plain:
        plain["allowed_models"] = tuple(plain["allowed_models"])
    plain["models"] = tuple(model for file in plain.get("models", ()) for model in read_models(file))
    providers = dict(parts.get("providers", {}))
    providers["base_urls"] = dict(providers.get("base_urls", ()))
    images = ImageSettings(**parts.get("images", {}))
    return InferenceSettings(**others, **plain, images=images, providers=ProviderSettings(**providers))


def service(parts: Mapping[str, Mapping[str, Any]]) -> Service:
    from qdlite_server.routes.inference import Service

    return Service(**parts.get("service", {}))
