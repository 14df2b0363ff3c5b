"""A real MCP server in its own process that misbehaves.

Usage: ``python odd_mcp_server.py FOLDER stdio`` or ``python odd_mcp_server.py FOLDER PORT [old]``. Files in the folder
control it; it looks for them at each call.
"""

from __future__ import annotations

import base64
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server.mcpserver import Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ListToolsResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

folder = Path(sys.argv[1])
PAGE = 4


class PagingServer(MCPServer):
    """Lists its tools in pages."""

    async def _handle_list_tools(self, ctx: Any, params: Any) -> ListToolsResult:
        tools, start = await self.list_tools(), int(params.cursor) if params and params.cursor else 0
        after = start + PAGE
        return ListToolsResult(tools=tools[start:after], next_cursor=str(after) if after < len(tools) else None)


server = PagingServer("odd", log_level="ERROR")
reads = ToolAnnotations(read_only_hint=True)


def is_told(order: str) -> bool:
    return (folder / order).exists()


def note(name: str) -> None:
    with (folder / "calls").open("a") as file:
        file.write(f"{name}\n")


@server.tool()
def block(until: str) -> str:
    """Block the whole server until there is a file of that name."""
    note("block")
    (folder / "blocking").touch()
    while not is_told(until):
        time.sleep(0.01)
    return "Done blocking."


@server.tool(annotations=reads)
def picture() -> Image:
    """Return a picture."""
    return Image(data=PIXEL, format="png")


@server.tool()
def resources() -> CallToolResult:
    """Return resources of all kinds."""
    blob = base64.b64encode(b"\x00\x01").decode()
    return CallToolResult(
        content=[
            TextContent(type="text", text="Seven."),
            ResourceLink(type="resource_link", name="a", uri="https://a.example/a.txt", mime_type="text/plain"),
            ResourceLink(type="resource_link", name="b", uri="https://a.example/b"),
            EmbeddedResource(type="resource", resource=TextResourceContents(uri="file:///a", text="Text of a file.")),
            EmbeddedResource(
                type="resource", resource=BlobResourceContents(uri="file:///b", blob=blob, mime_type="application/zip")
            ),
        ]
    )


@server.tool()
def structured() -> dict[str, Any]:
    """Return what has a structure."""
    return {"temperature": 7, "unit": "°C"}


@server.tool()
def nothing() -> CallToolResult:
    """Return nothing."""
    return CallToolResult(content=[])


@server.tool()
def failing() -> CallToolResult:
    """Say that it has failed."""
    return CallToolResult(content=[TextContent(type="text", text="The shelf is empty.")], is_error=True)


@server.tool()
def broken_picture() -> CallToolResult:
    """Return a picture that is none."""
    return CallToolResult.model_validate(
        {"content": [{"type": "image", "data": "%%%no base64", "mimeType": "image/png"}]}
    )


@server.tool(name="größe.der datei")
def size() -> str:
    """Have a name that no server takes."""
    return "Named."


@server.tool(name="x" * 90 + "1")
def long_one() -> str:
    """Have a name that is too long."""
    return "Long one."


@server.tool(name="x" * 90 + "2")
def long_two() -> str:
    """Have a name that is too long and begins like another."""
    return "Long two."


@server.tool(name="read/item")
def read_with_slash() -> str:
    """Have a name that becomes another's."""
    return "With slash."


@server.tool(name="read:item")
def read_with_colon() -> str:
    """Have a name that becomes another's."""
    return "With colon."


@server.tool()
def change_tools(new: str, text: str) -> str:
    """Have other tools from now on, and tell nobody."""

    def added() -> str:
        return text

    with suppress(ToolError):
        server.remove_tool(new)
    server.add_tool(added, name=new, description=f"Say {text}", annotations=reads)
    return "Changed."


@server.tool()
def rubbish() -> str:
    """Print what is no message, on both channels."""
    note("rubbish")
    for noise in (b"Loading model...\n", b"\xff\xfe\x00rubbish\n", b'{"json": "but no message"}\n', b"[]\n\n"):
        os.write(1 if sys.argv[2] == "stdio" else 2, noise)
    os.write(2, b"warning: something\n" * 50_000)
    return "Still here."


@server.tool()
def die(way: str) -> str:
    """Die in the middle of a call."""
    note("die")
    os._exit(int(way))


@server.tool(annotations=reads)
def last_of_all() -> str:
    """Stand on the last page."""
    return "Last."


class OldServer:
    """Knows no protocol without sessions, as servers of before 2026."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        if headers.get(b"mcp-protocol-version", b"").startswith(b"2026"):
            body = b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "Missing session ID"}}'
            await send(
                {"type": "http.response.start", "status": 400, "headers": [(b"content-type", b"application/json")]}
            )
            await send({"type": "http.response.body", "body": body})
            return
        await self._app(scope, receive, send)


if is_told("greets"):
    os.write(1, b"Welcome to the odd server!\n")

if sys.argv[2] == "stdio":
    server.run("stdio")
elif sys.argv[3:] == ["old"]:
    uvicorn.run(OldServer(server.streamable_http_app()), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
else:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
