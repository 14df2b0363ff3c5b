"""Which item of a response an event is about, also where the server gives every event another id, or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from chat_clients.protocols.loose_json import read_place


class ItemNames:
    """Gives each item of one response a name that stays: its first id.

    An id that was announced is believed. Of others, the item at the same place of the output that is not done is meant:
    some proxies give each event of an item a new id.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, str] = {}
        self._at: dict[int, str] = {}
        self._kinds: dict[str, str] = {}
        self._announced: set[str] = set()
        self._done: set[str] = set()

    def begin(self, item: Mapping[str, Any], place: Any) -> str:
        """Return the name of an item that is announced."""
        if not isinstance(item.get("type"), str):
            return ""  # nothing is announced
        name = self._known(item.get("id")) or self._add(item.get("id"), place, item["type"])
        self._announced.add(name)
        return name

    def name_of(self, event: Mapping[str, Any], kind: str) -> str:
        """Return the name of the item that `event` is about.

        Args:
            event: With an ``item_id``, an ``output_index``, both or none.
            kind: The type of items that have such events.
        """
        item_id, place = event.get("item_id"), event.get("output_index")
        known = self._known(item_id) or self._open_at(place)
        if known is not None:
            return known
        if read_place(place) is None:
            open_ones = [name for name, each in self._kinds.items() if each == kind and name not in self._done]
            if item_id:
                open_ones = [name for name in open_ones if name in self._announced]
            if open_ones:
                return open_ones[-1]
        return self._add(item_id, place, kind)

    def done(self, item: Mapping[str, Any], place: Any) -> str:
        """Return the name of an item that is whole now."""
        kind = str(item.get("type"))
        known = self._known(item.get("id")) or self._open_at(place, kind)
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
        if (known := self._known(item_id)) is not None:
            return [known] if known in self._done else []
        place = read_place(event.get("output_index"))
        if self._open_at(place, kind) is not None:
            return []
        at_place = self._at.get(place) if place is not None else None
        same = [name for name, each in self._kinds.items() if each == kind and name in self._done]
        return sorted(same, key=lambda name: name != at_place)

    def in_whole(self, item: Mapping[str, Any], matched: Collection[str]) -> str:
        """Return the name of an item in the whole response that ends the stream.

        Args:
            item: One of the response's output.
            matched: The names of those before it.
        """
        known = self._known(item.get("id"))
        if known is not None and known not in matched:
            return known
        kind = str(item.get("type"))
        same = [name for name, each in self._kinds.items() if each == kind and name not in matched]
        return same[0] if same else self._add(item.get("id"), None, kind)

    def _known(self, item_id: Any) -> str | None:
        return self._by_id.get(item_id) if isinstance(item_id, str) else None

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
            self._by_id[item_id] = name
        if at is not None:
            self._at[at] = name
        return name
