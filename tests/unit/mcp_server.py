"""A real MCP server in its own process, which records the calls of its tools in a file.

Usage: ``python mcp_server.py FILE stdio`` or ``python mcp_server.py FILE PORT``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

calls = Path(sys.argv[1])
server = MCPServer("shelf", log_level="ERROR")


def note(name: str) -> None:
    with calls.open("a") as file:
        file.write(f"{name}\n")


@server.tool(name="read.item", annotations=ToolAnnotations(read_only_hint=True))
def read_item(key: str) -> str:
    """Read an item."""
    note("read")
    die_if_told()
    return f"Item {key}."


@server.tool()
def put_item(key: str) -> str:
    """Put an item there."""
    note("put")
    die_if_told()
    return f"Put {key}."


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def look_up(key: str) -> str:
    """Look something up in a database that is gone."""
    note("look")
    raise ValueError(f"{key}: connection closed by the database")


def die_if_told() -> None:
    """Exit during a call, once, if a file requests it."""
    order = calls.with_suffix(".die")
    if order.exists():
        order.unlink()
        os._exit(1)


if sys.argv[2] == "stdio":
    server.run("stdio")
else:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
