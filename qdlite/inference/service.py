"""How are the inference objects of one request turned into vectors?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qdlite.errors import InferenceError
from qdlite.inference import builtin, download
from qdlite.inference.backend import Backend, Route, Rule
from qdlite.inference.builtin import Bm25Backend, HashingBackend
from qdlite.inference.catalogue import Catalogue
from qdlite.inference.inputs import Call, InferenceInput, InferenceResult, Mode
from qdlite.inference.local import LocalModels
from qdlite.inference.model import ModelDescription
from qdlite.inference.options import shortened
from qdlite.inference.settings import InferenceSettings
from qdlite.types import VectorArray


@dataclass
class _Group:
    """Inputs for one call of a backend; `positions[i]` are those in the request that input i answers."""

    route: Route
    inputs: list[InferenceInput] = field(default_factory=list)
    places: dict[Hashable, list[tuple[int, int | None]]] = field(default_factory=dict)

    def add(self, item: InferenceInput, position: int, mrl: int | None) -> None:
        if item.data_key not in self.places:
            self.inputs.append(item)
        self.places.setdefault(item.data_key, []).append((position, mrl))


class InferenceService:
    """Embeds texts and images with built-in, local and external models.

    Blocking and safe to call from many threads; never call it while holding a collection's lock.
    """

    def __init__(self, settings: InferenceSettings | None = None) -> None:
        self.settings = settings or InferenceSettings()
        self._catalogue = Catalogue(self.settings)
        self._local = LocalModels(self.settings, self._catalogue)
        self._rules: list[Rule] = [Bm25Backend().route, HashingBackend().route, self._local.route]

    def infer(
        self,
        inputs: Sequence[InferenceInput],
        mode: Mode,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> InferenceResult:
        """Embeds all inputs, or raises for all. `embeddings[i]` answers `inputs[i]`.

        Identical inputs are embedded once (also those that differ only in `mrl`), and inputs that agree in
        model and options go to the model in one call. `headers` may hold keys of external providers;
        `timeout` is in seconds. Raises InferenceError, RateLimited, Timeout, BadRequest or ServiceError.
        """
        if inputs and not self.settings.enabled:
            raise InferenceError("Inference is turned off in this server; send vectors instead")
        call = Call.start(mode, headers, timeout)
        vectors: dict[int, VectorArray] = {}
        usage: dict[str, int] = {}
        for group in self._groups(inputs, call):
            embedded = group.route.backend.embed(group.inputs, call)
            model = group.inputs[0].model
            for vector, places in zip(embedded.vectors, group.places.values(), strict=True):
                vectors.update((position, shortened(vector, mrl, model)) for position, mrl in places)
            if group.route.counted:
                usage[model] = usage.get(model, 0) + embedded.tokens
        return InferenceResult([vectors[position] for position in range(len(inputs))], usage)

    def models(self) -> list[ModelDescription]:
        """All models that can be named, built-in ones first."""
        local = [self._local.describe(card) for card in self._catalogue.cards()]
        return [builtin.BM25, builtin.HASHING, *local]

    def describe(self, model: str) -> ModelDescription | None:
        """What is known about a model without loading it; None if it is unknown or external."""
        try:
            cards = self._catalogue.named(model) if not (known := builtin.describe(model)) else []
        except InferenceError:
            return None
        return known or (self._local.describe(cards[0]) if cards else None)

    def pull(self, name: str, progress: Callable[[int, int, str], None] = download.silent) -> Path:
        """Makes the files of a model available on disk; returns its folder.

        `progress` is called with what is done, the total so far (0: unknown) and the unit ("B" or "files").
        """
        cards = self._catalogue.named(name)
        paths = [self._local.pull(card, progress) for card in cards]
        if not paths:
            self._catalogue.find(name, "text")  # raises with suggestions
        return paths[0]

    def close(self) -> None:
        """Lets go of all loaded models."""
        self._local.close()

    def _groups(self, inputs: Sequence[InferenceInput], call: Call) -> list[_Group]:
        """One group per call to make, local ones first: their errors then cost no external call."""
        routes: dict[Hashable, Route] = {}
        groups: dict[tuple[Backend, str, str, Hashable], _Group] = {}
        for position, item in enumerate(inputs):
            route = routes.get(item.key)
            if route is None:
                route = routes[item.key] = self._route(item, call)
            key = (route.backend, item.model, item.kind, route.shared)
            groups.setdefault(key, _Group(route)).add(item, position, route.mrl)
        return sorted(groups.values(), key=lambda group: group.route.remote)

    def _route(self, item: InferenceInput, call: Call) -> Route:
        for rule in self._rules:
            route = rule(item, call)
            if route is not None:
                return route
        raise InferenceError(f"Unknown model: {item.model}")
