"""Finds the item of a response that an event is about, even if every event has another id or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from chat_clients.protocols.loose_json import read_index

_KNOWN_KINDS = frozenset(
    {"message", "reasoning", "function_call", "code_interpreter_call", "web_search_call", "file_search_call"}
    | {"image_generation_call", "mcp_call", "mcp_list_tools", "mcp_approval_request"}
)


class ItemNames:
    """Gives each item of a response a stable name: its first id.

    An id that was announced is trusted, except that some proxies give all items the same one; kind and index then
    distinguish them. Any other id means the unfinished item at the same index of the output, since some proxies give
    each event of an item a new id.
    """

    def __init__(self) -> None:
        self._by_id: dict[tuple[str, str], list[str]] = {}
        self._by_index: dict[int, str] = {}
        self._kinds: dict[str, str] = {}
        self._announced: set[str] = set()
        self._done: set[str] = set()

    def begin(self, item: Mapping[str, Any], index: Any) -> str:
        """Return the name of an item that an event announces; "" for an event without an item."""
        if not isinstance(item.get("type"), str):
            return ""
        known = self._find_known(item.get("id"), item["type"], index)
        if known is None or self._has_other_index(known, index):
            known = self._add(item.get("id"), index, item["type"])
        self._announced.add(known)
        return known

    def name_for_event(self, event: Mapping[str, Any], kind: str) -> str:
        """Return the name of the item that `event` is about.

        Args:
            event: An event with an ``item_id``, an ``output_index``, both or neither.
            kind: The type of items that have such events.
        """
        item_id, index = event.get("item_id"), event.get("output_index")
        known = self._find_known(item_id, kind, index) or self._find_open(index)
        if known is not None:
            return known
        if read_index(index) is None:
            open_names = self._open_names(kind)
            if item_id and self._announced:
                open_names = [name for name in open_names if name in self._announced]
            if open_names:
                return open_names[-1]
        return self._add(item_id, index, kind)

    def finish(self, item: Mapping[str, Any], index: Any) -> str:
        """Return the name of an item that is now complete."""
        kind = str(item.get("type"))
        known = self._find_known(item.get("id"), kind, index)
        if known is None or (known in self._done and self._has_other_index(known, index)):
            known = self._find_open(index, kind)
        if known is None and read_index(index) is None:
            open_names = self._open_names(kind)
            if item.get("id"):
                open_names = [name for name in open_names if name in self._announced]
            known = open_names[0] if open_names else None
        name = known or self._add(item.get("id"), index, kind)
        self._done.add(name)
        return name

    def finished_names(self, event: Mapping[str, Any], kind: str) -> list[str]:
        """Return the names of finished items that a late event may be about, the likeliest first.

        Args:
            event: The event; if it may be about an unfinished item, nothing is returned.
            kind: The type of items that have such events.
        """
        item = event.get("item")
        item_id = item.get("id") if isinstance(item, Mapping) else event.get("item_id")
        index = read_index(event.get("output_index"))
        if (known := self._find_known(item_id, kind, index)) is not None:
            return [known] if known in self._done and not self._has_other_index(known, index) else []
        if self._find_open(index, kind) is not None:
            return []
        at_index = self._by_index.get(index) if index is not None else None
        same_kind = [name for name, other_kind in self._kinds.items() if other_kind == kind and name in self._done]
        return sorted(same_kind, key=lambda name: name != at_index)

    def name_in_response(self, item: Mapping[str, Any], matched: Collection[str]) -> str:
        """Return the name of an item in the complete response at the end of the stream.

        Args:
            item: An item of the response's output.
            matched: The names of the items before it.
        """
        kind = str(item.get("type"))
        known = next((name for name in self._names_with_id(item.get("id"), kind) if name not in matched), None)
        if known is not None:
            return known
        same_kind = [name for name, other_kind in self._kinds.items() if other_kind == kind and name not in matched]
        return same_kind[0] if same_kind else self._add(item.get("id"), None, kind)

    def _open_names(self, kind: str) -> list[str]:
        """Return the names of the items of a kind that are not finished, oldest first."""
        return [name for name, other_kind in self._kinds.items() if other_kind == kind and name not in self._done]

    def _names_with_id(self, item_id: Any, kind: str) -> list[str]:
        if not isinstance(item_id, str):
            return []
        if (names := self._by_id.get((item_id, kind))) is not None:
            return names
        # An item of an unknown kind may have been announced as any kind.
        for (known_id, known_kind), names in self._by_id.items():
            if known_id == item_id and known_kind not in _KNOWN_KINDS:
                return names
        return []

    def _find_known(self, item_id: Any, kind: str, index: Any) -> str | None:
        """Return the name for an id; among several the one at the index, else the newest that is not finished."""
        names = self._names_with_id(item_id, kind)
        if len(names) < 2:
            return names[0] if names else None
        at = read_index(index)
        if at is not None and self._by_index.get(at) in names:
            return self._by_index[at]
        return next((name for name in reversed(names) if name not in self._done), names[-1])

    def _has_other_index(self, name: str, index: Any) -> bool:
        """Return whether an item is known to be at another index of the output."""
        at = read_index(index)
        return at is not None and self._by_index.get(at) != name and name in self._by_index.values()

    def _find_open(self, index: Any, kind: str | None = None) -> str | None:
        at = read_index(index)
        name = self._by_index.get(at) if at is not None else None
        if name is None or name in self._done or kind not in (None, self._kinds[name]):
            return None
        return name

    def _add(self, item_id: Any, index: Any, kind: str) -> str:
        at = read_index(index)
        name = item_id if isinstance(item_id, str) and item_id else f"item_{at or 0}"
        while name in self._kinds:
            name += "_"
        self._kinds[name] = kind
        if isinstance(item_id, str) and item_id:
            self._by_id.setdefault((item_id, kind), []).append(name)
        if at is not None:
            self._by_index[at] = name
        return name
