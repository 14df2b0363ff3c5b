"""AttachedFile: a file of the conversation for tools, with methods to read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from chatkit.types import Attachment

from file_library.file_contents import FileContents
from files.file_urls import mark_of
from storage.file_rows import StoredFile


class AttachedFile:
    """A file that a person has sent, or that an assistant has made.

    Attributes:
        id: Such as ``"atc_0198…"``.
        name: The name, with an extension that fits; for people, not for paths.
        media_type: The type, told from the bytes.
        size: The size in bytes.
        width: The width of a picture in pixels, else None.
        height: The height of a picture in pixels, else None.

    Its methods raise `NotFoundError` when it has been deleted meanwhile.
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
        """Return all of its bytes."""
        return await self._contents.read(await self._load(self.id))

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield its bytes piece by piece, so that a large file is never in memory as a whole."""
        async for chunk in (await self._contents.open(await self._load(self.id))).chunks:
            yield chunk

    async def text(self) -> str:
        """Return the text of a text file, a PDF or an office document, up to 200,000 characters.

        Raises:
            UnavailableError: When there is none to be had.
        """
        return (await self._contents.text(await self._load(self.id))).text

    @asynccontextmanager
    async def path(self) -> AsyncIterator[Path]:
        """Open a copy on the local disk: ``async with file.path() as path``. It is gone when the block ends."""
        async with self._contents.local_copy(await self._load(self.id), f"file{Path(self.name).suffix}") as path:
            yield path

    @property
    def url(self) -> str:
        """The address of the file for a widget: whoever sees it gets a fresh, short-lived URL in its place."""
        return mark_of(self.id, "file")

    @property
    def preview_url(self) -> str:
        """The address of a small version of a picture, for a widget."""
        return mark_of(self.id, "preview")
