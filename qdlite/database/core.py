"""What do all calls of a database share? Its collections, its inference, its builder, and how locks are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from qdlite import persistence
from qdlite.collection.collection import Collection
from qdlite.collection.view import CollectionView
from qdlite.database.builder import IndexBuilder
from qdlite.database.embeddings import NOTHING, Embeddings, Mode, RequestContext, embed, inference_service
from qdlite.database.jobs import Jobs
from qdlite.database.names import Names
from qdlite.database.quotas import Quotas
from qdlite.errors import NotFound, lookup_collection_not_found
from qdlite.lazily import Late
from qdlite.models.vectors import VectorObject

if TYPE_CHECKING:
    from qdlite.inference import InferenceService, InferenceSettings
    from qdlite.persistence import SnapshotSettings, SnapshotStore


class DatabaseCore:
    """The parts of a database."""

    def __init__(self, inference: InferenceSettings | None = None, snapshots: SnapshotSettings | None = None) -> None:
        self._inference = Late(partial(inference_service, inference))
        if inference is not None and inference.models_dirs:
            self._inference()  # what is wrong in these folders is told now
        self._names = Names()
        self._builder = IndexBuilder(self._names.collections)
        self._snapshots = Late(partial(_snapshot_store, snapshots))
        self._jobs = Jobs()
        self.quotas = Quotas()

    def close(self) -> None:
        """Ends the background threads and lets go of all data and models."""
        self._jobs.close()
        self._builder.close()
        if self._snapshots.made is not None:
            self._snapshots.made.close()
        self._names.clear()
        if self._inference.made is not None:
            self._inference.made.close()

    @property
    def inference(self) -> InferenceService:
        """What embeds texts and images. Made at its first use."""
        return self._inference()

    def wait_until_indexed(self, timeout: float | None = None) -> bool:
        """Blocks until every graph is up to date; False if `timeout` (seconds) ran out before."""
        return self._builder.wait(timeout)

    def collection(self, name: str) -> Collection:
        """The collection of a name or alias. Raises NotFound."""
        return self._names.resolve(name)

    def _embed(self, objects: Sequence[VectorObject], mode: Mode, context: RequestContext) -> Embeddings:
        """The vectors of a request's inference objects; most requests have none."""
        return embed(self.inference, objects, mode, context) if objects else NOTHING

    def _views(self, name: str, lookups: Sequence[str] = ()) -> AbstractContextManager[dict[str, CollectionView]]:
        """Views of a collection (under its own name as given) and of those it looks vectors up in.

        The read locks are taken in the order of the collections' names and each only once, so that requests which
        look into each other's collections cannot block one another.
        """
        if not lookups:
            return _OneView(name, self._names.resolve(name))
        return self._several_views(name, lookups)

    @contextmanager
    def _several_views(self, name: str, lookups: Sequence[str]) -> Iterator[dict[str, CollectionView]]:
        collections = {name: self._names.resolve(name)}
        for lookup in lookups:
            collections[lookup] = self._lookup(lookup)
        views: dict[str, CollectionView] = {}
        with ExitStack() as stack:
            for collection in sorted(set(collections.values()), key=lambda collection: collection.name):
                views[collection.name] = stack.enter_context(collection.reading())
            yield {given: views[collection.name] for given, collection in collections.items()}

    def _lookup(self, name: str) -> Collection:
        try:
            return self._names.resolve(name)
        except NotFound:
            raise lookup_collection_not_found(name) from None


class _OneView:
    """What nearly all queries need, at the least cost: one collection under the name given."""

    def __init__(self, name: str, collection: Collection) -> None:
        self._name = name
        self._collection = collection

    def __enter__(self) -> dict[str, CollectionView]:
        return {self._name: self._collection.enter()}

    def __exit__(self, *error: object) -> None:
        self._collection.leave()


def _snapshot_store(settings: SnapshotSettings | None) -> SnapshotStore:
    return persistence.SnapshotStore(settings)
