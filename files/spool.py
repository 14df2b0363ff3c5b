"""Spool: a local folder where uploads are written piece by piece, and examined before they are stored.

So an upload takes the memory of one piece, however large or slow it is, and nothing unchecked reaches the object store.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from errors import BadRequestError, ConfigError, TooLargeError, UnavailableError
from files.text_encodings import EncodingFinder

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

MAX_AT_ONCE = 400
"""Largest number of workspaces at once."""

MAX_AT_ONCE_PER_OWNER = 150
"""Largest number of workspaces of one owner at once, so that nobody can use up the total."""

PIECE_BYTES = 96 * 1024
SILENCE_TIMEOUT_S = 30.0
"""Longest wait for the next bytes of a file, in seconds."""

UPLOAD_TIMEOUT_S = 900.0
"""Time limit for all bytes of a file, in seconds."""

LEFTOVER_LIFE_S = 2 * UPLOAD_TIMEOUT_S
"""Age from which a workspace must have been left behind by a dead process, in seconds."""

THREADS = 4


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A completely received upload.

    Attributes:
        path: The local file.
        size: The file's size in bytes.
        sha256: The hash of the bytes, hexadecimal.
        encoding: The encoding of a text file; None when the file is not a text.
    """

    path: Path
    size: int
    sha256: str
    encoding: str | None


class Spool:
    """A local folder for files that are being processed, and threads for that work.

    Args:
        folder: The folder, which is created if it is missing.

    Raises:
        ConfigError: When the folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open_by_owner: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(THREADS, "files")
        # One thread only: each piece holds the GIL for a moment, and the event loop would have to wait for each of
        # several writers. One thread handles 300 MB per second; uploads that wait for it do not read meanwhile.
        self._writer = ThreadPoolExecutor(1, "file-writer")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ConfigError("DATA_DIR", f"the folder '{folder}' cannot be made: {exc.strerror}") from exc

    @asynccontextmanager
    async def workspace(self, owner: str) -> AsyncIterator[Path]:
        """Create a folder for processing one file of `owner`, and remove it afterwards.

        Raises:
            UnavailableError: When there are too many workspaces, or the disk is full.
        """
        if self._open_by_owner.total() >= MAX_AT_ONCE or self._open_by_owner[owner] >= MAX_AT_ONCE_PER_OWNER:
            raise UnavailableError("Too many files are being sent at the moment. Try again soon.", code="files.busy")
        self._open_by_owner[owner] += 1
        place = self._folder / secrets.token_hex(16)
        try:
            try:
                await self.run_in_thread(place.mkdir)
            except OSError as exc:
                raise UnavailableError("Files cannot be saved at the moment.", code="files.unavailable") from exc
            yield place
        finally:
            self._open_by_owner[owner] -= 1
            if not self._open_by_owner[owner]:
                del self._open_by_owner[owner]
            await self._remove(place)

    async def _remove(self, place: Path) -> None:
        try:
            job = self._threads.submit(shutil.rmtree, place, ignore_errors=True)
        except RuntimeError:  # the spool was closed meanwhile, and the next process will sweep the folder
            return
        # The folder is removed even when the caller is cancelled while it waits.
        await asyncio.shield(asyncio.wrap_future(job))

    async def receive(
        self, place: Path, chunks: AsyncIterator[bytes], max_bytes: int, too_large: TooLargeError
    ) -> ReceivedFile:
        """Write an upload to a file, and compute its hash and detect its encoding on the way.

        Args:
            place: A folder from `workspace`.
            chunks: The bytes of the upload.
            max_bytes: The size limit.
            too_large: The error to raise when the limit is exceeded.

        Raises:
            TooLargeError: When the upload has more than `max_bytes`.
            BadRequestError: When it does not arrive in time.
            UnavailableError: When the disk is full.
        """
        loop = asyncio.get_running_loop()
        path = place / "sent"
        digest, finder = hashlib.sha256(), EncodingFinder()
        size, piece = 0, bytearray()
        arriving = aiter(chunks)

        def write(file: IO[bytes], data: bytearray) -> None:
            # Everything that processes each byte happens as they arrive: at the end, for many files at once, it would
            # take seconds in which the event loop competes with all those threads for the GIL.
            file.write(data)
            digest.update(data)
            finder.feed(data)

        try:
            async with asyncio.timeout(UPLOAD_TIMEOUT_S):
                # Unbuffered, so that opening and closing write nothing while the event loop waits for them.
                with path.open("wb", buffering=0) as file:
                    while (chunk := await _next_chunk(arriving)) is not None:
                        size += len(chunk)
                        if size > max_bytes:
                            raise too_large
                        piece += chunk
                        if len(piece) >= PIECE_BYTES:
                            await loop.run_in_executor(self._writer, write, file, piece)
                            # A new one, as a cleared bytearray keeps its memory.
                            piece = bytearray()
                    await loop.run_in_executor(self._writer, write, file, piece)
        except TimeoutError as exc:
            raise BadRequestError("The file did not arrive in time.", code="request_timeout") from exc
        except OSError as exc:
            raise UnavailableError("Files cannot be saved at the moment.", code="files.unavailable") from exc
        return ReceivedFile(path, size, digest.hexdigest(), finder.encoding())

    async def run_in_thread(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the result of `work(*args, **kwargs)`, called in one of the spool's threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def sweep(self, now: Callable[[], float] = time.time) -> int:
        """Remove workspaces that dead processes have left behind; return how many. Blocks."""
        count = 0
        for place in self._folder.iterdir():
            try:
                is_old = place.stat().st_mtime < now() - LEFTOVER_LIFE_S
            except OSError:
                continue
            if is_old:
                shutil.rmtree(place, ignore_errors=True)
                count += 1
        return count

    def close(self) -> None:
        """Stop the threads; pending work is cancelled."""
        for threads in (self._writer, self._threads):
            threads.shutdown(wait=False, cancel_futures=True)


async def _next_chunk(chunks: AsyncIterator[bytes]) -> bytes | None:
    """Return the next bytes of an upload; None at its end.

    Raises:
        TimeoutError: When no bytes arrive within `SILENCE_TIMEOUT_S`.
    """
    try:
        async with asyncio.timeout(SILENCE_TIMEOUT_S):
            return await anext(chunks)
    except StopAsyncIteration:
        return None


async def read_pieces(data: str | bytes | Path | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the bytes of a string (as UTF-8), of bytes, of a local file or of a stream, piece by piece."""
    if isinstance(data, str):
        data = bytes(data, "utf-8")
    if isinstance(data, bytes):
        for start in range(0, len(data), PIECE_BYTES):
            yield data[start : start + PIECE_BYTES]
    elif isinstance(data, Path):
        with await asyncio.to_thread(data.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece
    else:
        async for piece in data:
            yield piece
