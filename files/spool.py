"""Spool: what people send is written to a local folder first, piece by piece, and looked at there.

So an upload holds a piece in memory, however large it is and however slowly it comes, and nothing reaches the object
store that has not been checked.
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
"""Files that are worked on at once."""

MAX_AT_ONCE_OF_ONE = 150
"""Files of one owner that are worked on at once: nobody takes all the room."""

PIECE_BYTES = 96 * 1024
SILENCE_TIMEOUT_S = 30.0
"""Longest wait for the next bytes of a file."""

UPLOAD_TIMEOUT_S = 900.0
"""Longest time for all bytes of a file."""

LEFTOVER_LIFE_S = 2 * UPLOAD_TIMEOUT_S
"""A folder of an upload that is older belongs to a process that is no more."""

THREADS = 4


@dataclass(frozen=True, slots=True)
class Received:
    """File that has arrived.

    Attributes:
        path: The local file.
        size: The file's size in bytes.
        sha256: The hash of the bytes, hexadecimal.
        encoding: The encoding of a text; None for what is none.
    """

    path: Path
    size: int
    sha256: str
    encoding: str | None


class Spool:
    """A local folder for files on their way, and threads for work with them.

    Args:
        folder: Made when it is missing.

    Raises:
        ConfigError: When it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._at_once: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(THREADS, "files")
        # One alone: each holds Python's lock for a moment per piece, and of several at once the event loop would wait
        # for all. It takes 300 MB a second, and who waits for it reads no more from its connection.
        self._writer = ThreadPoolExecutor(1, "file-writer")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ConfigError("DATA_DIR", f"the folder '{folder}' cannot be made: {exc.strerror}") from exc

    @asynccontextmanager
    async def workplace(self, owner: str) -> AsyncIterator[Path]:
        """Open a folder for the time of one piece of work with a file of `owner`.

        Raises:
            UnavailableError: When there are too many at once, or the disk is full.
        """
        if self._at_once.total() >= MAX_AT_ONCE or self._at_once[owner] >= MAX_AT_ONCE_OF_ONE:
            raise UnavailableError("Too many files are being sent at the moment. Try again soon.", code="files.busy")
        self._at_once[owner] += 1
        place = self._folder / secrets.token_hex(16)
        try:
            try:
                await self.in_thread(place.mkdir)
            except OSError as exc:
                raise UnavailableError("Files cannot be saved at the moment.", code="files.unavailable") from exc
            yield place
        finally:
            self._at_once[owner] -= 1
            if not self._at_once[owner]:
                del self._at_once[owner]
            await self._remove(place)

    async def _remove(self, place: Path) -> None:
        try:
            job = self._threads.submit(shutil.rmtree, place, ignore_errors=True)
        except RuntimeError:  # closed meanwhile: the sweeper of the next process finds it
            return
        # Whoever is cancelled while it waits leaves nothing either.
        await asyncio.shield(asyncio.wrap_future(job))

    async def receive(
        self, place: Path, chunks: AsyncIterator[bytes], max_bytes: int, too_large: TooLargeError
    ) -> Received:
        """Write what arrives into a file.

        Args:
            place: A workplace.
            chunks: The bytes.
            max_bytes: After so many no more is read.
            too_large: What is raised then.

        Raises:
            TooLargeError: When there are more bytes.
            BadRequestError: When they do not arrive in time.
            UnavailableError: When the disk is full.
        """
        loop = asyncio.get_running_loop()
        path = place / "sent"
        digest, finder = hashlib.sha256(), EncodingFinder()
        size, piece = 0, bytearray()
        coming = aiter(chunks)

        def write(file: IO[bytes], data: bytearray) -> None:
            # All that has to see each byte does so while they come: at the end of many files at once it would be work
            # for seconds, in which Python's lock goes from thread to thread and the event loop waits for its turn.
            file.write(data)
            digest.update(data)
            finder.feed(data)

        try:
            async with asyncio.timeout(UPLOAD_TIMEOUT_S):
                # Unbuffered, and closed by hand: to open and to close moves no bytes.
                with path.open("wb", buffering=0) as file:
                    while True:
                        try:
                            async with asyncio.timeout(SILENCE_TIMEOUT_S):
                                chunk = await anext(coming)
                        except StopAsyncIteration:
                            break
                        size += len(chunk)
                        if size > max_bytes:
                            raise too_large
                        piece += chunk
                        if len(piece) >= PIECE_BYTES:
                            await loop.run_in_executor(self._writer, write, file, piece)
                            # Emptied, it would keep its room; a new one asks for no more than it needs.
                            piece = bytearray()
                    await loop.run_in_executor(self._writer, write, file, piece)
        except TimeoutError as exc:
            raise BadRequestError("The file did not arrive in time.", code="request_timeout") from exc
        except OSError as exc:
            raise UnavailableError("Files cannot be saved at the moment.", code="files.unavailable") from exc
        return Received(path, size, digest.hexdigest(), finder.encoding())

    async def in_thread(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return `work(...)`, done in one of few threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def sweep(self, now: Callable[[], float] = time.time) -> int:
        """Remove what processes have left that are no more; return how many folders. Blocks."""
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
        """Take no more work."""
        for threads in (self._writer, self._threads):
            threads.shutdown(wait=False, cancel_futures=True)


async def pieces_of(data: str | bytes | Path | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield bytes piece by piece, wherever they are; those of a text in UTF-8."""
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
