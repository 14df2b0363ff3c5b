"""Scope of a transaction: the owner whose rows it may access, the requested page, and the error for missing rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from chatkit.store import NotFoundError as ChatKitNotFoundError
from sqlalchemy import Row

from errors import NotFoundError

NO_THREAD = "This conversation does not exist."
NO_ITEM = "This message does not exist."
NO_ATTACHMENT = "This file does not exist."

T = TypeVar("T")


class MissingError(NotFoundError, ChatKitNotFoundError):
    """A row does not exist or belongs to somebody else: both our `NotFoundError` and that of ChatKit's `Store`."""


class Scope(NamedTuple):
    """Owner of the rows of a transaction, and the id of the thread or file; the id is empty for a list of threads.

    Only queries with the owner return the numeric key of a thread, so that rows selected by that key are the owner's.
    """

    owner_id: str
    use_case: str
    id: str = ""

    @property
    def columns(self) -> dict[str, Any]:
        """The owner's columns of a new row."""
        return {"owner_id": self.owner_id, "use_case": self.use_case}

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of statements that are restricted to the owner."""
        return {"scope_owner_id": self.owner_id, "scope_use_case": self.use_case, "scope_id": self.id}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Request for a page of a list by keyset pagination: by the id of the last seen entry, and not by an offset.

    Attributes:
        size: The greatest number of entries on the page.
        after: The id of the last entry on the previous page; None for the first page.
        order: ``"asc"`` or ``"desc"``.
    """

    size: int
    after: str | None
    order: str

    def parameters(self, cursor: int | None) -> dict[str, Any]:
        """Return the parameters of the page's statement; `cursor` is the position of the entry `after`."""
        return {"size": self.size + 1, "cursor": cursor}  # the extra row tells whether there is another page

    def split(self, rows: Sequence[Row[Any]]) -> tuple[Sequence[Row[Any]], str | None]:
        """Return the rows of the page, and the id after which the next page begins; None when this is the last."""
        return (rows, None) if len(rows) <= self.size else (rows[: self.size], rows[self.size - 1].id)


def require(value: T | None, message: str = NO_THREAD) -> T:
    """Return `value`, which must not be None.

    Raises:
        MissingError: When it is None, with `message` for the person.
    """
    if value is None:
        raise MissingError(message)
    return value
