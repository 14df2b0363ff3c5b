"""Uncached lists of an MCP server's tools, under unique names.

The framework replaces characters of a tool's name other than ASCII letters, digits and ``_.-``, and refuses a server if
two names are equal then, such as ``read/item`` and ``read:item``. And a server may allow its client to cache the list.
"""

from __future__ import annotations

import re
from typing import Any

_REPLACED_CHARS = re.compile(r"[^A-Za-z0-9_.-]")
_MARK = "_lists_anew"


def refresh_tool_lists(tool: Any) -> None:
    """Bypass the cached list of a server's tools, and give these unique names, from its next connection on.

    Names are not changed if the author refers to tools by name, for approval or in a list of allowed tools: such a name
    must mean one tool.
    """
    if _MARK in vars(tool) or not hasattr(tool, "_connection"):
        return
    setattr(tool, _MARK, True)
    is_renaming = tool.allowed_tools is None and not isinstance(tool.approval_mode, dict)
    load_tools = tool.load_tools

    async def load_listed_tools() -> None:
        connection = tool._connection
        if connection is not None and _MARK not in vars(connection):
            setattr(connection, _MARK, True)
            _wrap_connection(connection, is_renaming=is_renaming)
        await load_tools()

    tool.load_tools = load_listed_tools


def _wrap_connection(connection: Any, *, is_renaming: bool) -> None:
    remote_names: dict[str, str] = {}
    name_owners: dict[str, str] = {}
    list_tools_page, call_tool = connection.list_tools_page, connection.call_tool

    async def list_fresh_page(params: Any) -> Any:
        client = getattr(connection, "client", None)
        if client is None:
            page = await list_tools_page(params)
        else:
            page = await client.list_tools(cursor=params.cursor if params is not None else None, cache_mode="refresh")
        if not is_renaming:
            return page
        if params is None:
            name_owners.clear()
        tools = []
        for each in page.tools:
            name, number = each.name, 2
            while name_owners.setdefault(_REPLACED_CHARS.sub("-", name), each.name) != each.name:
                name, number = f"{_REPLACED_CHARS.sub('-', each.name)}_{number}", number + 1
            remote_names[name] = each.name
            tools.append(each if name == each.name else each.model_copy(update={"name": name}))
        return page.model_copy(update={"tools": tools})

    async def call_by_remote_name(name: str, *args: Any, **kwargs: Any) -> Any:
        return await call_tool(remote_names.get(name, name), *args, **kwargs)

    connection.list_tools_page = list_fresh_page
    connection.call_tool = call_by_remote_name
