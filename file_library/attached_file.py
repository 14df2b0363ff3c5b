"""AttachedFile: a file of the conversation for tools, with methods to read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from chatkit.types import Attachment

from file_library.file_contents import FileContents
from files.file_urls import build_url_mark
from storage.file_rows import StoredFile


class AttachedFile:
    """A file that a person has sent, or that an assistant has made.

    Attributes:
        id: The id of the file, such as ``"atc_0198…"``.
        name: The name, with an extension that fits; for people, not for paths.
        media_type: The media type, detected from the bytes.
        size: The size in bytes.
        width: The width of a picture in pixels, else None.
        height: The height of a picture in pixels, else None.

    The methods raise `NotFoundError` when the file has been deleted meanwhile.
    """

    def __init__(
        self,
        attachment: Attachment,
        load: Callable[[str], Awaitable[StoredFile]],
        contents: FileContents,
    ) -> None:
        details = attachment.metadata or {}
        self._load = load
        self._contents = contents
        self.id = attachment.id
        self.name = attachment.name
        self.media_type = attachment.mime_type
        self.size = int(details.get("size", 0))
        self.width: int | None = details.get("width")
        self.height: int | None = details.get("height")

    def __repr__(self) -> str:
        return f"<AttachedFile {self.name!r} {self.media_type} {self.size} bytes>"

    async def read(self) -> bytes:
        """Return all bytes of the file."""
        return await self._contents.read(await self._load(self.id))

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the file piece by piece, so that a large one is never in memory as a whole."""
        async for chunk in (await self._contents.open(await self._load(self.id))).chunks:
            yield chunk

    async def text(self) -> str:
        """Return the text of a text file, a PDF or an office document, up to 200,000 characters.

        Raises:
            UnavailableError: When the text cannot be read.
        """
        return (await self._contents.text(await self._load(self.id))).text

    @asynccontextmanager
    async def path(self) -> AsyncIterator[Path]:
        """Create a copy on the local disk for the duration of a block: ``async with file.path() as path``."""
        async with self._contents.local_copy(await self._load(self.id), f"file{Path(self.name).suffix}") as path:
            yield path

    @property
    def url(self) -> str:
        """The URL of the file for a widget; it is replaced by a fresh, short-lived one for each person who sees it."""
        return build_url_mark(self.id, "file")

    @property
    def preview_url(self) -> str:
        """The URL of a small version of a picture, for a widget."""
        return build_url_mark(self.id, "preview")
