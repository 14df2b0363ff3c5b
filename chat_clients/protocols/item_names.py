"""Finds the item of a response that an event is about, also where every event has another id, or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from chat_clients.protocols.loose_json import read_place

_KNOWN_KINDS = frozenset(
    {"message", "reasoning", "function_call", "code_interpreter_call", "web_search_call", "file_search_call"}
    | {"image_generation_call", "mcp_call", "mcp_list_tools", "mcp_approval_request"}
)


class ItemNames:
    """Gives each item of one response a name that stays: its first id.

    An id that was announced is believed, as far as it goes: some proxies give all items the same, and then kind and
    place tell them apart. Of others, the item at the same place of the output that is not done is meant: some proxies
    give each event of an item a new id.
    """

    def __init__(self) -> None:
        self._by_id: dict[tuple[str, str], list[str]] = {}
        self._at: dict[int, str] = {}
        self._kinds: dict[str, str] = {}
        self._announced: set[str] = set()
        self._done: set[str] = set()

    def begin(self, item: Mapping[str, Any], place: Any) -> str:
        """Return the name of an item that is announced."""
        if not isinstance(item.get("type"), str):
            return ""  # nothing is announced
        known = self._known(item.get("id"), item["type"], place)
        if known is None or self._is_elsewhere(known, place):
            known = self._add(item.get("id"), place, item["type"])
        name = known
        self._announced.add(name)
        return name

    def name_of(self, event: Mapping[str, Any], kind: str) -> str:
        """Return the name of the item that `event` is about.

        Args:
            event: With an ``item_id``, an ``output_index``, both or none.
            kind: The type of items that have such events.
        """
        item_id, place = event.get("item_id"), event.get("output_index")
        known = self._known(item_id, kind, place) or self._open_at(place)
        if known is not None:
            return known
        if read_place(place) is None:
            open_ones = [name for name, each in self._kinds.items() if each == kind and name not in self._done]
            if item_id and self._announced:
                open_ones = [name for name in open_ones if name in self._announced]
            if open_ones:
                return open_ones[-1]
        return self._add(item_id, place, kind)

    def done(self, item: Mapping[str, Any], place: Any) -> str:
        """Return the name of an item that is whole now."""
        kind = str(item.get("type"))
        known = self._known(item.get("id"), kind, place)
        if known is None or (known in self._done and self._is_elsewhere(known, place)):
            known = self._open_at(place, kind)
        if known is None and read_place(place) is None:
            open_ones = [name for name, each in self._kinds.items() if each == kind and name not in self._done]
            if item.get("id"):
                open_ones = [name for name in open_ones if name in self._announced]
            known = open_ones[0] if open_ones else None
        name = known or self._add(item.get("id"), place, kind)
        self._done.add(name)
        return name

    def done_ones(self, event: Mapping[str, Any], kind: str) -> list[str]:
        """Return the names of finished items that a late event may be about, likeliest first.

        Args:
            event: The event, of an item that no open one can be meant by.
            kind: The type of items that have such events.
        """
        item = event.get("item")
        item_id = item.get("id") if isinstance(item, Mapping) else event.get("item_id")
        place = read_place(event.get("output_index"))
        if (known := self._known(item_id, kind, place)) is not None:
            return [known] if known in self._done and not self._is_elsewhere(known, place) else []
        if self._open_at(place, kind) is not None:
            return []
        at_place = self._at.get(place) if place is not None else None
        same = [name for name, each in self._kinds.items() if each == kind and name in self._done]
        return sorted(same, key=lambda name: name != at_place)

    def in_whole(self, item: Mapping[str, Any], matched: Collection[str]) -> str:
        """Return the name of an item in the whole response that ends the stream.

        Args:
            item: An item of the response's output.
            matched: The names of those before it.
        """
        kind = str(item.get("type"))
        known = next((name for name in self._named(item.get("id"), kind) if name not in matched), None)
        if known is not None:
            return known
        same = [name for name, each in self._kinds.items() if each == kind and name not in matched]
        return same[0] if same else self._add(item.get("id"), None, kind)

    def _named(self, item_id: Any, kind: str) -> list[str]:
        if not isinstance(item_id, str):
            return []
        if (names := self._by_id.get((item_id, kind))) is not None:
            return names
        # Of a kind that nobody knows it may be any.
        odd = [names for (each, its), names in self._by_id.items() if each == item_id and its not in _KNOWN_KINDS]
        return odd[0] if odd else []

    def _known(self, item_id: Any, kind: str, place: Any) -> str | None:
        """Return the item of this id; of several the one at this place, or the newest that is not done."""
        names = self._named(item_id, kind)
        if len(names) < 2:
            return names[0] if names else None
        at = read_place(place)
        if at is not None and self._at.get(at) in names:
            return self._at[at]
        return next((name for name in reversed(names) if name not in self._done), names[-1])

    def _is_elsewhere(self, name: str, place: Any) -> bool:
        """Return whether an item has a place in the output that is not this one."""
        at = read_place(place)
        return at is not None and self._at.get(at) != name and name in self._at.values()

    def _open_at(self, place: Any, kind: str | None = None) -> str | None:
        at = read_place(place)
        name = self._at.get(at) if at is not None else None
        if name is None or name in self._done or kind not in (None, self._kinds[name]):
            return None
        return name

    def _add(self, item_id: Any, place: Any, kind: str) -> str:
        at = read_place(place)
        name = item_id if isinstance(item_id, str) and item_id else f"item_{at or 0}"
        while name in self._kinds:
            name += "_"
        self._kinds[name] = kind
        if isinstance(item_id, str) and item_id:
            self._by_id.setdefault((item_id, kind), []).append(name)
        if at is not None:
            self._at[at] = name
        return name
