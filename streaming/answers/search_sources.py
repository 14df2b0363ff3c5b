"""Queries and sources of a provider's searches, wherever it has put them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chatkit.types import FileSource, SearchTask, URLSource

from text.shortening import shortened

MAX_SOURCES = 20
MAX_TITLE_CHARS = 120


def web_task(value: Any, title: str | None) -> SearchTask:
    """Return the task of a web search, called `title`, or of an opened page, called by its address."""
    action = _holder(_mapping(value))
    url = action.get("url")
    if action.get("type") in ("open_page", "find_in_page") and isinstance(url, str):
        return SearchTask(title=shortened(url, MAX_TITLE_CHARS), sources=list(_url_sources([action])))
    queries = queries_of(value)
    return SearchTask(
        title=title,
        title_query=queries[0] if queries else None,
        queries=queries,
        sources=list(_url_sources(_rows(value, "sources", "results"))),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return a value that may be JSON text, or nothing where it is no object."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def queries_of(value: Any) -> list[str]:
    """Return the queries of a search, wherever the provider put them."""
    holder = _holder(_mapping(value))
    queries = holder.get("queries") or [holder.get("query")]
    return [query for query in queries if isinstance(query, str) and query] if isinstance(queries, list) else []


def _holder(value: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = value.get("action")
    return inner if isinstance(inner, Mapping) else value


def _rows(result: Any, *keys: str) -> Iterator[Mapping[str, Any]]:
    for key in keys:
        rows = _holder(_mapping(result)).get(key)
        if isinstance(rows, list):
            yield from (row for row in rows[:MAX_SOURCES] if isinstance(row, Mapping))


def _url_sources(rows: Iterable[Mapping[str, Any]]) -> Iterator[URLSource]:
    for row in rows:
        url = row.get("url")
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            yield URLSource(url=url, title=str(row.get("title") or url))


def file_sources(result: Any) -> Iterator[FileSource]:
    """Return the files that a search has found."""
    for row in _rows(result, "results"):
        name = row.get("filename") or row.get("file_id")
        if isinstance(name, str):
            yield FileSource(filename=name, title=name)
