"""ChatKit's AttachmentStore: bytes in an object store, one API. For now the local disk; uploads have no endpoint yet.

A file's key is made of a hash of its owner and of its id, so no name that a person chose reaches a path.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from chatkit.store import AttachmentStore
from chatkit.types import Attachment, AttachmentCreateParams
from obstore.exceptions import NotFoundError as MissingObjectError
from obstore.store import LocalStore

from database import new_id
from errors import ConfigError, NotFoundError, TooLargeError, UnavailableError
from turns.request_context import RequestContext

if TYPE_CHECKING:
    from store import ParlorStore

MAX_ATTACHMENT_BYTES = 20 * 1024 * 1024

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class ParlorAttachmentStore(AttachmentStore[RequestContext]):
    """The bytes of attachments; `ParlorStore` is asked for a file's owner before any byte is touched."""

    def __init__(self, store: ParlorStore, folder: Path, *, max_bytes: int = MAX_ATTACHMENT_BYTES) -> None:
        """Open an object store in `folder`, which is made when it is missing.

        Args:
            store: Asked for the owner of a file before any byte of it is touched.
            folder: The root folder; it holds one folder per owner.
            max_bytes: Size of the largest file that is written or read.

        Raises:
            ConfigError: When the folder cannot be made.
        """
        self._store = store
        self._max_bytes = max_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._objects = LocalStore(folder)
        except OSError as exc:
            raise ConfigError("DATA_DIR", f"the folder '{folder}' cannot be made: {exc.strerror}") from exc

    def generate_attachment_id(self, mime_type: str, context: RequestContext) -> str:
        """Return a new attachment id."""
        return new_id("atc")

    async def create_attachment(self, input: AttachmentCreateParams, context: RequestContext) -> Attachment:
        """Refuse to create an attachment: there is no endpoint to upload to.

        Raises:
            UnavailableError: Always.
        """
        raise UnavailableError("Uploads are not available here.", code="attachments.unavailable", allow_retry=False)

    async def write(self, attachment_id: str, data: bytes, context: RequestContext) -> None:
        """Store the bytes of a file that `ParlorStore.save_attachment` knows already.

        Raises:
            NotFoundError: When the file is missing or another owner's.
            TooLargeError: When there are more bytes than allowed.
        """
        if len(data) > self._max_bytes:
            raise TooLargeError(f"A file may have at most {self._max_bytes} bytes.")
        key = await self._authorized_key(attachment_id, context)
        await self._objects.put_async(key, data)
        await self._store.mark_attachment_uploaded(attachment_id, context)

    async def read(self, attachment_id: str, context: RequestContext) -> bytes:
        """Return the bytes of a file.

        Raises:
            NotFoundError: When the file is missing, another owner's, or not uploaded yet.
            TooLargeError: When it has more bytes than allowed; they are not read.
        """
        key = await self._authorized_key(attachment_id, context)
        try:
            found = await self._objects.get_async(key)
        except (FileNotFoundError, MissingObjectError) as exc:
            raise NotFoundError("This file has not been uploaded.") from exc
        if found.meta["size"] > self._max_bytes:
            raise TooLargeError(f"A file may have at most {self._max_bytes} bytes.")
        return bytes(await found.bytes_async())

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        """Delete the bytes of a file, if there are any; ChatKit then has `ParlorStore` delete the rest.

        Raises:
            NotFoundError: When the file is missing or another owner's.
        """
        key = await self._authorized_key(attachment_id, context)
        try:
            await self._objects.delete_async(key)
        except (FileNotFoundError, MissingObjectError):
            return  # never uploaded

    async def _authorized_key(self, attachment_id: str, context: RequestContext) -> str:
        if not _ID.fullmatch(attachment_id):
            raise NotFoundError("This file does not exist.")
        await self._store.load_attachment(attachment_id, context)
        # The length in front keeps ("a", "b/c") and ("a/b", "c") apart.
        owner = f"{len(context.user_id)}:{context.user_id}:{context.use_case}"
        return f"{hashlib.sha256(owner.encode()).hexdigest()[:32]}/{attachment_id}"
