"""What can be done with qdlite? `Database`: every call of the API, usable without any server.

Arguments and results are wire models (`qdlite.models`), errors are `qdlite.errors`. Names may be aliases wherever
Qdrant allows that. Calls embed inference objects first, outside of every lock, and then work on the collection.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from qdlite import payload
from qdlite.collection.collection import Collection
from qdlite.collection.config import new_config
from qdlite.database.embeddings import RequestContext
from qdlite.database.reads import Reads
from qdlite.database.snapshots import Snapshots
from qdlite.database.writes import Writes
from qdlite.models.collections import CreateCollection, UpdateCollection, VectorNameConfig
from qdlite.models.indexes import CreateFieldIndex, IndexParams
from qdlite.models.info import CollectionInfo
from qdlite.models.updates import UpdateResult

if TYPE_CHECKING:
    from qdlite.collection import CollectionMeasures
    from qdlite.models.aliases import ChangeAliases


class Database(Writes, Reads, Snapshots):
    """An in-memory vector database with built-in inference. Safe to use from many threads; close it when done."""

    def __enter__(self) -> Database:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def create_collection(self, name: str, body: CreateCollection) -> bool:
        """Raises AlreadyExists if the name is taken, WrongInput for bad vector names."""
        self._names.add(Collection(name, new_config(body)))
        return True

    def update_collection(self, name: str, body: UpdateCollection) -> bool:
        """Merges the given settings; what they change takes effect at once, graphs follow in the background."""
        collection = self.collection(name)
        collection.configure(body)
        self._builder.wake(collection)
        return True

    def delete_collection(self, name: str) -> bool:
        """Deletes a collection and its aliases; False if there was none. An alias is not resolved here."""
        return self._names.remove(name)

    def get_collection(self, name: str) -> CollectionInfo:
        """State, complete configuration and payload indexes."""
        return self.collection(name).info()

    def measures(self) -> dict[str, CollectionMeasures]:
        """The size of each collection, part by part, in name order."""
        return {collection.name: collection.measures() for collection in self._names.collections()}

    def list_collections(self) -> list[str]:
        """Names of all collections, sorted."""
        return [collection.name for collection in self._names.collections()]

    def collection_exists(self, name: str) -> bool:
        """Whether a collection or alias of the name exists."""
        return self._names.knows(name)

    def create_vector_name(
        self,
        name: str,
        vector_name: str,
        body: VectorNameConfig,
        wait: bool = True,
        context: RequestContext | None = None,
    ) -> UpdateResult:
        """Adds a named vector to a live collection; adding an equal one again changes nothing."""
        collection = self.collection(name)
        collection.verify(body, context.timeout if context is not None else None)
        self.quotas.check_update()
        return self._applied(collection, wait, lambda: collection.create_vector_name(vector_name, body), context)

    def delete_vector_name(
        self, name: str, vector_name: str, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Removes a named vector and everything stored under it."""
        collection = self.collection(name)
        return self._applied(collection, wait, lambda: collection.delete_vector_name(vector_name), context)

    def create_field_index(
        self, name: str, body: CreateFieldIndex, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Creates a payload index over existing and future points; creating it again replaces it."""
        if isinstance(body.schema, IndexParams) and body.schema.type == "text":
            payload.text_options(body.schema)  # part of the body, so refused before the collection is looked for
        collection = self.collection(name)
        collection.verify(body, context.timeout if context is not None else None)
        self.quotas.check_update()
        return self._applied(collection, wait, lambda: collection.create_field_index(body), context)

    def delete_field_index(
        self, name: str, field: str, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Drops a payload index; none of the name is fine."""
        collection = self.collection(name)
        return self._applied(collection, wait, lambda: collection.delete_field_index(field), context)

    def change_aliases(self, body: ChangeAliases) -> bool:
        """Creates, deletes and renames aliases, in order."""
        self._names.change_aliases(body)
        return True

    def list_aliases(self, collection: str | None = None) -> list[tuple[str, str]]:
        """(alias, collection) pairs, of all collections or of one."""
        return self._names.aliases(collection)
