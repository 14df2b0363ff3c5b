"""AttachedFile: a file as a tool gets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

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
    """

    def __init__(self, file: StoredFile, contents: FileContents) -> None:
        self._file = file
        self._contents = contents
        self.id = file.id
        self.name = file.name
        self.media_type = file.media_type
        self.size = file.size
        self.width = file.width
        self.height = file.height

    def __repr__(self) -> str:
        return f"<AttachedFile {self.name!r} {self.media_type} {self.size} bytes>"

    async def read(self) -> bytes:
        """Return all of its bytes."""
        return await self._contents.read(self._file)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield its bytes piece by piece, so that a large file is never in memory as a whole."""
        async for chunk in (await self._contents.open(self._file)).chunks:
            yield chunk

    async def text(self) -> str:
        """Return the text of a text file, a PDF or an office document, up to 200,000 characters.

        Raises:
            UnavailableError: When there is none to be had.
        """
        return (await self._contents.text(self._file)).text

    def path(self) -> AbstractAsyncContextManager[Path]:
        """Open a copy on the local disk: ``async with file.path() as path``. It is gone when the block ends."""
        return self._contents.local_copy(self._file, f"file{Path(self.name).suffix}")

    @property
    def url(self) -> str:
        """The address of the file for a widget: whoever sees it gets a fresh, short-lived URL in its place."""
        return mark_of(self.id, "file")

    @property
    def preview_url(self) -> str:
        """The address of a small version of a picture, for a widget."""
        return mark_of(self.id, "preview")
