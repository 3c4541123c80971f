"""How are the inference objects of one request turned into vectors?"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from qdlite.errors import InferenceError, UnknownModel
from qdlite.inference import builtin, download
from qdlite.inference.backend import Route, Rule
from qdlite.inference.builtin import Bm25Backend, HashingBackend
from qdlite.inference.cache import EmbeddingCache
from qdlite.inference.cancellation import Cancellation
from qdlite.inference.catalogue import Catalogue
from qdlite.inference.inputs import Call, InferenceInput, InferenceResult, Mode
from qdlite.inference.local import LocalModels
from qdlite.inference.model import ModelCard, ModelDescription, ModelReport
from qdlite.inference.options import shortened
from qdlite.inference.providers.backend import Providers, provider_of
from qdlite.inference.remote import RemoteService
from qdlite.inference.settings import InferenceSettings
from qdlite.inference.totals import MAX_MODELS, ModelTotals, Totals
from qdlite.types import VectorArray


class _Place(NamedTuple):
    """Where in the answer a vector goes, and to what size it is cut."""

    position: int
    mrl: int | None


@dataclass
class _Group:
    """Inputs for one call of a backend; equal ones stand in it once, with all their places."""

    route: Route
    inputs: dict[Hashable, InferenceInput] = field(default_factory=dict)
    places: dict[Hashable, list[_Place]] = field(default_factory=dict)
    lasting: set[Hashable] = field(default_factory=set)

    def add(self, item: InferenceInput, route: Route, position: int) -> None:
        self.inputs.setdefault(route.identity, item)
        self.places.setdefault(route.identity, []).append(_Place(position, route.mrl))
        if route.lasting:
            self.lasting.add(route.identity)

    def key(self, call: Call, identity: Hashable) -> Hashable:
        """Under which the vector of that input is remembered."""
        return self.route.backend, self.route.group, call.mode, identity


class InferenceService:
    """Embeds texts and images with built-in, local and external models.

    Blocking and safe to call from many threads; never call it while holding a collection's lock.
    """

    def __init__(self, settings: InferenceSettings | None = None) -> None:
        self.settings = settings or InferenceSettings()
        self._catalogue = Catalogue(self.settings)
        self._local = LocalModels(self.settings, self._catalogue)
        size = self.settings.embedding_cache_bytes
        self._cache = EmbeddingCache(size) if size else None
        self._providers = Providers(self.settings, self._catalogue)
        self._remote = RemoteService(self.settings) if self.settings.inference_url else None
        self._totals = Totals()
        self._counted_as = lru_cache(MAX_MODELS)(self._proper_name)
        elsewhere = [self._remote.route] if self._remote else [self._providers.route, self._local.route]
        self._rules: list[Rule] = [
            Bm25Backend().route,
            HashingBackend(self.settings.max_text_length).route,
            self._local.route_added,
            *elsewhere,
        ]

    def infer(
        self,
        inputs: Sequence[InferenceInput],
        mode: Mode,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> InferenceResult:
        """Embeds all inputs, or raises for all. `embeddings[i]` answers `inputs[i]`.

        Identical inputs are embedded once (also those that differ only in `mrl`), and inputs that agree in
        model and options go to the model in one call. `headers` may hold keys of external providers;
        `timeout` is in seconds (default: the settings'); `cancellation` ends the work when nobody waits for it.
        Raises InferenceError, RateLimited, Timeout, Cancelled, BadRequest or ServiceError.
        """
        if inputs and not self.settings.enabled:
            raise InferenceError("Inference is turned off in this server; send vectors instead")
        if timeout is None and self._remote is None:  # the service elsewhere has Qdrant's own error for its time
            timeout = self.settings.inference_timeout
        call = Call.start(mode, headers, timeout, cancellation)
        vectors: dict[int, VectorArray] = {}
        usage: dict[str, int] = {}
        for group in self._groups(inputs, call):
            started = time.perf_counter()
            embedded, used = self._embed(group, call)
            self._count(group, used, time.perf_counter() - started)
            for model, tokens in used.items():
                usage[model] = usage.get(model, 0) + tokens
            for identity, places in group.places.items():
                model = group.inputs[identity].model
                for position, mrl in places:
                    vectors[position] = shortened(embedded[identity], mrl, model)
        return InferenceResult([vectors[position] for position in range(len(inputs))], usage)

    def _embed(self, group: _Group, call: Call) -> tuple[dict[Hashable, VectorArray], dict[str, int]]:
        """The vector of each identity in the group, remembered or computed; usage counts what was computed."""
        known = self._remembered(group, call)
        missing = {one: item for one, item in group.inputs.items() if one not in known}
        if not missing:
            return known, dict.fromkeys((item.model for item in group.inputs.values()), 0)
        vectors, usage = group.route.backend.embed(list(missing.values()), call)
        computed = dict(zip(missing, vectors, strict=True))
        if self._cache:
            for one in group.lasting & computed.keys():
                self._cache.put(group.key(call, one), sys.getsizeof(missing[one].data), computed[one])
        return {**known, **computed}, usage

    def _count(self, group: _Group, usage: Mapping[str, int], seconds: float) -> None:
        """Adds to the totals; models that share a call share its time by their numbers of inputs."""
        shares: dict[str, int] = {}
        for item in group.inputs.values():
            shares[item.model] = shares.get(item.model, 0) + 1
        for model, count in shares.items():
            name = model if group.route.remote else self._counted_as(model)
            self._totals.add(name, usage.get(model, 0), seconds * count / len(group.inputs))

    def _proper_name(self, model: str) -> str:
        return builtin.proper_name(model) or self._catalogue.proper_name(model)

    def _remembered(self, group: _Group, call: Call) -> dict[Hashable, VectorArray]:
        if not self._cache:
            return {}
        found = {one: self._cache.get(group.key(call, one)) for one in group.lasting}
        return {one: vector for one, vector in found.items() if vector is not None}

    def models(self) -> list[ModelDescription]:
        """All models that can be named and are allowed, built-in ones first; none where inference is turned off."""
        if not self.settings.enabled:
            return []
        local = [self._local.describe(card) for card in self._catalogue.cards() if self._runs_here(card)]
        return [*(model for model in (builtin.BM25, builtin.HASHING) if self.allows(model.name)), *local]

    def _runs_here(self, card: ModelCard) -> bool:
        return self.allows(card.name) and (self._remote is None or self._catalogue.is_added(card.name))

    def totals(self) -> dict[str, ModelTotals]:
        """What each model has done so far, by name."""
        return self._totals.rows()

    def reports(self) -> list[ModelReport]:
        """All models with what they have done, external ones too once they were used."""
        models, totals = self.models(), self.totals()
        known = {model.name.lower() for model in models}
        external = [_external(name) for name in totals if name.lower() not in known]
        return [
            ModelReport(model, total.tokens, total.requests, total.seconds)
            for model in (*models, *external)
            for total in (totals.get(model.name, ModelTotals()),)
        ]

    def allows(self, model: str) -> bool:
        """Whether the operator lets this model be used."""
        if self._allowed is None:
            return True
        names = {model.lower(), self._proper_name(model).lower()}
        return any(fnmatchcase(name, pattern) for name in names for pattern in self._allowed)

    @cached_property
    def _allowed(self) -> set[str] | None:
        """Patterns of the names that may be used, in lower case, also as the catalogue writes them; None: all."""
        if self.settings.allowed_models is None:
            return None
        return {name.lower() for one in self.settings.allowed_models for name in (one, self._proper_name(one))}

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
        if builtin.describe(name):
            raise InferenceError(f"Model {name} is built in; there is nothing to download")
        cards = self._catalogue.named(name)
        paths = [self._local.pull(card, progress) for card in cards]
        if not paths:
            self._catalogue.find(name, "text")  # raises with suggestions
        return paths[0]

    def close(self) -> None:
        """Lets go of all loaded models."""
        self._local.close()
        self._providers.close()
        if self._remote:
            self._remote.close()
        if self._cache:
            self._cache.clear()

    def _groups(self, inputs: Sequence[InferenceInput], call: Call) -> list[_Group]:
        """One group per call to make, local ones first: their errors then cost no external call."""
        routes: dict[Hashable, Route] = {}
        groups: dict[Hashable, _Group] = {}
        for position, item in enumerate(inputs):
            route = routes.get(item.key)
            if route is None:
                try:
                    route = routes[item.key] = self._route(item, call)
                except InferenceError as error:
                    error.about = item
                    raise
            key = (route.backend, route.group)
            groups.setdefault(key, _Group(route)).add(item, route, position)
        return sorted(groups.values(), key=lambda group: group.route.remote)

    def _route(self, item: InferenceInput, call: Call) -> Route:
        if not self.allows(item.model):
            raise UnknownModel(f"Model {item.model} is not among the models that this server allows")
        for rule in self._rules:
            route = rule(item, call)
            if route is not None:
                return route
        raise UnknownModel(f"Unknown model: {item.model}")


def _external(name: str) -> ModelDescription:
    """A model that runs elsewhere, as far as it is known here."""
    provider = provider_of(name)
    inputs = provider.accepts if provider else ("text", "image", "object")
    return ModelDescription(name, "external", inputs, None, None, on_disk=False, state="remote")
