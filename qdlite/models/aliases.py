"""How are aliases changed? A list of actions, applied in order. As in Qdrant, any text can be an alias, even one that
no path can name."""

from __future__ import annotations

from typing import ClassVar

from qdlite.models.base import Model, OneOf


class CreateAlias(Model, frozen=True, kw_only=True):
    collection_name: str
    alias_name: str


class DeleteAlias(Model, frozen=True, kw_only=True):
    alias_name: str


class RenameAlias(Model, frozen=True, kw_only=True):
    old_alias_name: str
    new_alias_name: str


class AliasAction(OneOf, frozen=True, kw_only=True):
    create_alias: CreateAlias | None = None
    delete_alias: DeleteAlias | None = None
    rename_alias: RenameAlias | None = None

    variants: ClassVar = ("create_alias", "delete_alias", "rename_alias")
    expected: ClassVar = "data did not match any variant of untagged enum AliasOperations"


class ChangeAliases(Model, frozen=True, kw_only=True):
    actions: list[AliasAction]
