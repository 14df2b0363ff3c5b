"""Which item of a response an event is about, also where the server gives every event another id, or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


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
        name = self._known(item.get("id")) or self._add(item.get("id"), place, str(item.get("type")))
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
        if not isinstance(place, int):
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
        if known is None and not isinstance(place, int):
            open_ones = [name for name, each in self._kinds.items() if each == kind and name not in self._done]
            if item.get("id"):
                open_ones = [name for name in open_ones if name in self._announced]
            known = open_ones[0] if open_ones else None
        name = known or self._add(item.get("id"), place, kind)
        self._done.add(name)
        return name

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
        name = self._at.get(place) if isinstance(place, int) else None
        if name is None or name in self._done or kind not in (None, self._kinds[name]):
            return None
        return name

    def _add(self, item_id: Any, place: Any, kind: str) -> str:
        name = item_id if isinstance(item_id, str) and item_id else f"item_{place if isinstance(place, int) else 0}"
        while name in self._kinds:
            name += "_"
        self._kinds[name] = kind
        if isinstance(item_id, str) and item_id:
            self._by_id[item_id] = name
        if isinstance(place, int):
            self._at[place] = name
        return name
