"""How does a model serve a crowd?

Threads that share one batch of short texts meet after every step of the model, and all wait for the one that was
held up. So when as many requests are here as the model has threads, each thread does better with a batch of its own.
That takes the model a second time, made for one thread; it is loaded beside the work when a crowd first comes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import numpy as np

from qdlite.inference.embedders.base import Embedder

_log = logging.getLogger(__name__)
_ONE_AT_A_TIME = "Batches run one at a time, because loading the model for one thread failed: %s"
_PROBES = ("", "a probe", "one that is longer, so that there is padding " * 4)


class Crowd:
    """`size` requests make a crowd, and as many batches may then run at once, by the `embedder` for one thread."""

    def __init__(self, size: int, model: Embedder, load: Callable[[], Embedder]) -> None:
        self.size = size
        self.embedder: Embedder | None = None
        """None as long as it is not loaded, and for good if it cannot be."""
        self._model = model
        self._load = load
        self._loading: threading.Thread | None = None

    def gather(self) -> None:
        """Sees to it that the model is being loaded. Called under the lane's lock."""
        if self._loading is None:
            self._loading = threading.Thread(target=self._prepare, name="qdlite-crowd")
            try:
                self._loading.start()
            except RuntimeError as error:  # no more threads
                _log.warning(_ONE_AT_A_TIME, error)

    def _prepare(self) -> None:
        try:
            embedder = self._load()
            if not same_vectors(self._model, embedder):
                _log.info("One thread gives other vectors than several; batches go on to run one at a time")
                return
        except Exception as error:  # the model that is loaded serves all, as before
            _log.warning(_ONE_AT_A_TIME, error)
            return
        self.embedder = embedder


def same_vectors(one: Embedder, other: Embedder) -> bool:
    """Whether two embedders of texts agree to the last bit."""
    first, second = (
        model.embed(model.prepare(_PROBES, "text", "update").items, "text", "update") for model in (one, other)
    )
    return all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(first, second, strict=True))
