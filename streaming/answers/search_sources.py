"""Queries and sources of a provider's searches, from the different forms of their calls and results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chatkit.types import FileSource, SearchTask, URLSource

from text.shortening import shortened

MAX_SOURCES = 20
MAX_TITLE_CHARS = 120


def build_web_task(value: Any, title: str | None) -> SearchTask:
    """Return the task of a web search, with the title `title`, or of an opened page, with its address as the title."""
    action = _search_action(_parse_mapping(value))
    url = action.get("url")
    if action.get("type") in ("open_page", "find_in_page") and isinstance(url, str):
        return SearchTask(title=shortened(url, MAX_TITLE_CHARS), sources=list(_url_sources([action])))
    queries = search_queries(value)
    return SearchTask(
        title=title,
        title_query=queries[0] if queries else None,
        queries=queries,
        sources=list(_url_sources(_result_rows(value, "sources", "results"))),
    )


def _parse_mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping, or a JSON object in a text, as a mapping; anything else as an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def search_queries(value: Any) -> list[str]:
    """Return the queries of a search from its call or its result."""
    holder = _search_action(_parse_mapping(value))
    queries = holder.get("queries") or [holder.get("query")]
    return [query for query in queries if isinstance(query, str) and query] if isinstance(queries, list) else []


def _search_action(value: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = value.get("action")
    return inner if isinstance(inner, Mapping) else value


def _result_rows(result: Any, *keys: str) -> Iterator[Mapping[str, Any]]:
    for key in keys:
        rows = _search_action(_parse_mapping(result)).get(key)
        if isinstance(rows, list):
            yield from (row for row in rows[:MAX_SOURCES] if isinstance(row, Mapping))


def _url_sources(rows: Iterable[Mapping[str, Any]]) -> Iterator[URLSource]:
    for row in rows:
        url = row.get("url")
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            yield URLSource(url=url, title=str(row.get("title") or url))


def file_sources(result: Any) -> Iterator[FileSource]:
    """Yield the files that a search has found."""
    for row in _result_rows(result, "results"):
        name = row.get("filename") or row.get("file_id")
        if isinstance(name, str):
            yield FileSource(filename=name, title=name)
