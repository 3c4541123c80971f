"""Which collection does a name mean? Collections and aliases, changed together under one mutex."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qdlite.collection.collection import Collection
from qdlite.errors import NotFound, WrongInput, collection_exists, collection_not_found

if TYPE_CHECKING:
    from qdlite.models.aliases import ChangeAliases, CreateAlias, DeleteAlias, RenameAlias


class Names:
    """Collections and aliases by name. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._collections: dict[str, Collection] = {}
        self._aliases: dict[str, str] = {}
        self._mutex = threading.Lock()

    def resolve(self, name: str) -> Collection:
        """The collection of a name or alias. Raises NotFound."""
        found = self._collections.get(self._aliases.get(name, name))
        if found is None:
            raise collection_not_found(name)
        return found

    def knows(self, name: str) -> bool:
        return name in self._collections or name in self._aliases

    def collections(self) -> list[Collection]:
        """All collections, in name order."""
        return [collection for _, collection in sorted(self._collections.copy().items())]

    def add(self, collection: Collection) -> None:
        """Raises AlreadyExists, or WrongInput if an alias has the name."""
        with self._mutex:
            if collection.name in self._collections:
                raise collection_exists(collection.name)
            if collection.name in self._aliases:
                raise WrongInput(
                    f"Can't create collection with name {collection.name}. Alias with the same name already exists"
                )
            self._collections[collection.name] = collection

    def put(self, collection: Collection) -> None:
        """Puts a collection under its name, in place of one that may be there."""
        with self._mutex:
            self._collections[collection.name] = collection

    def add_all(self, collections: Sequence[Collection], aliases: Mapping[str, str], replace: bool) -> None:
        """Adds collections and aliases, all or none. Raises AlreadyExists for a name that is taken; with `replace`
        only if a collection and an alias would begin to share one."""
        added = {collection.name: collection for collection in collections}
        with self._mutex:
            if not replace:
                self._refuse_known([*added, *aliases])
            for name in (aliases.keys() & self._collections.keys()) - added.keys():
                raise collection_exists(name)
            for name in (added.keys() & self._aliases.keys()) - aliases.keys():
                raise collection_exists(name)
            self._collections, self._aliases = {**self._collections, **added}, {**self._aliases, **aliases}

    def everything(self) -> tuple[list[Collection], dict[str, str]]:
        """All collections and aliases (with what they point at) of one moment."""
        with self._mutex:
            return list(self._collections.values()), dict(self._aliases)

    def remove(self, name: str) -> bool:
        """Removes a collection (not an alias) and the aliases that point at it; tells whether it existed."""
        with self._mutex:
            self._aliases = {alias: target for alias, target in self._aliases.items() if target != name}
            return self._collections.pop(name, None) is not None

    def clear(self) -> None:
        with self._mutex:
            self._collections, self._aliases = {}, {}

    def aliases(self, collection: str | None = None) -> list[tuple[str, str]]:
        """(alias, collection) pairs in the order of collections, then aliases; of all collections or of the one that
        has this very name. As in Qdrant, what is no name of a collection has no aliases."""
        pairs = sorted(self._aliases.items(), key=lambda pair: (pair[1], pair[0]))
        return [pair for pair in pairs if collection in (None, pair[1])]

    def change_aliases(self, body: ChangeAliases) -> None:
        """Applies the actions in order, for everybody at once, so that nobody finds an alias on its way from one
        collection to another missing. An error stops there, earlier actions stay (as in Qdrant)."""
        with self._mutex:
            aliases = self._aliases.copy()
            try:
                for action in body.actions:
                    ALIAS_ACTIONS[action.kind](self, aliases, getattr(action, action.kind))
            finally:
                self._aliases = aliases

    def _refuse_known(self, names: Iterable[str]) -> None:
        for name in names:
            if self.knows(name):
                raise collection_exists(name)

    def _create_alias(self, aliases: dict[str, str], action: CreateAlias) -> None:
        if action.collection_name not in self._collections:
            raise collection_not_found(action.collection_name)
        if action.alias_name in self._collections:
            raise collection_exists(action.alias_name)
        aliases[action.alias_name] = action.collection_name

    def _delete_alias(self, aliases: dict[str, str], action: DeleteAlias) -> None:
        aliases.pop(action.alias_name, None)

    def _rename_alias(self, aliases: dict[str, str], action: RenameAlias) -> None:
        """As in Qdrant the new name may be that of a collection, which then cannot be reached by it."""
        if action.old_alias_name not in aliases:
            raise NotFound(f"Alias {action.old_alias_name} does not exists!")
        aliases[action.new_alias_name] = aliases.pop(action.old_alias_name)


ALIAS_ACTIONS: dict[str, Callable[[Names, dict[str, str], Any], None]] = {
    "create_alias": Names._create_alias,
    "delete_alias": Names._delete_alias,
    "rename_alias": Names._rename_alias,
}
