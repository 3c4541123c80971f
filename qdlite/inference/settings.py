"""What may the operator decide about inference?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qdlite.inference.model import AddedModel


@dataclass(frozen=True)
class ImageSettings:
    """Limits for images named by URL or sent as base64. Sizes in bytes, time in seconds."""

    fetch: bool = True
    """Whether http(s) URLs are fetched at all."""
    allow_private_addresses: bool = False
    """Whether URLs may lead to loopback, private and link-local addresses."""
    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    timeout: float = 15.0
    max_redirects: int = 3


@dataclass(frozen=True)
class ProviderSettings:
    """Where the external providers are reached, and with which keys when the caller sends none.

    `base_urls` and `keys` are keyed by model prefix without the slash: `openai`, `cohere`, `jinaai`,
    `openrouter`. A prefix without a key here also looks at its environment variable, e.g. OPENAI_API_KEY.
    """

    base_urls: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 60.0
    retries: int = 2


@dataclass(frozen=True)
class InferenceSettings:
    """Settings of an `InferenceService`; the defaults need no configuration.

    `models_dirs` are searched for model folders before the cache (rules: `folders.py`). `offline` forbids
    every download of a model. `cache_dir` is fastembed's (default: FASTEMBED_CACHE_PATH, else a folder in the
    system's temporary directory). `threads` per model, None: all cores. `variants` orders the sub-folders of a
    model folder. `prefixes` overrides, by lower-case model name, what is put before (queries, passages).
    """

    models_dirs: tuple[Path, ...] = ()
    offline: bool = False
    enabled: bool = True
    threads: int | None = None
    cache_dir: Path | None = None
    cuda: bool = False
    variants: tuple[str, ...] = ("fp32", "fp16", "w8", "int8")
    prefixes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    models: tuple[AddedModel, ...] = ()
    """Models added by the user, see `added.read_models`."""
    max_loaded_models: int = 8
    max_model_bytes: int | None = None
    """Budget for loaded models (sum of their file sizes, twice for those that may load twice to serve a crowd); the
    least recently used are unloaded first."""
    max_text_length: int = 1_000_000
    """Characters of a text for local models and providers. Far beyond every context window: no text is cut by it."""
    max_waiting: int = 10_000
    """Inputs that may wait for one model before further requests are refused with 429."""
    embedding_cache_bytes: int = 0
    """Size of the cache of embeddings of exactly equal inputs; 0 turns it off."""
    images: ImageSettings = field(default_factory=ImageSettings)
    providers: ProviderSettings = field(default_factory=ProviderSettings)
    inference_url: str | None = None
    """An external inference service (Qdrant's protocol) that answers for every model not built into qdlite."""
    inference_token: str | None = field(default=None, repr=False)
    inference_timeout: float = 600.0
    """Seconds for the inference of a request that brings no timeout of its own."""
    allowed_models: tuple[str, ...] | None = None
    """Names of the only models that may be used, in any letter case; `*` stands for any text, as in `openai/*`."""
