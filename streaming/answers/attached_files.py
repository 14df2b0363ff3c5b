"""Attached files for the model, each in a form that it understands, within a budget of bytes and characters."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from agent_framework import Content
from chatkit.types import Attachment

from context import Services
from errors import UserFacingError
from files.media_types import PDF, PICTURES, describe, is_audio, is_text
from files.texts import DOCUMENTS, FileText
from files.upload_rules import format_size
from framework.message_marks import ORIGINAL_PROPERTY
from storage.file_rows import StoredFile
from streaming.answers.prompt_tags import file_note, file_text
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

MAX_PICTURES = 20
"""The maximum number of pictures in the messages of one answer, whatever their size."""

_NO_ROOM = "The file {} is part of the conversation and is not shown here: there was not room for it."


class AttachedFiles:
    """Converts the files of one conversation for a model, newest first, until a budget is spent.

    Args:
        services: The platform's services.
        context: The context of the request, whose person owns the files.
    """

    def __init__(self, services: Services, context: RequestContext) -> None:
        self._files = services.attachments
        self._context = context
        self._takes_pdf = services.takes_pdf
        self._transcribe = services.transcribe
        self._bytes_left = services.settings.history_max_file_bytes
        self._chars_left = services.settings.history_max_file_chars
        self._pictures_left = MAX_PICTURES

    async def show(self, attachment: Attachment) -> Content:
        """Return a file in a form that the model accepts, else a note about it; never raises for the file's content."""
        name = attachment.name
        try:
            file = await self._files.load(attachment.id, self._context)
            return await self._show_file(file)
        except UserFacingError as exc:
            logger.info("file not shown to the model", extra={"file_id": attachment.id, "code": exc.code})
        except Exception:
            logger.warning("file not shown to the model", extra={"file_id": attachment.id}, exc_info=True)
        return file_note(name, "The file {} could not be read.")

    async def _show_file(self, file: StoredFile) -> Content:
        if file.media_type in PICTURES:
            return await self._show_picture(file)
        if file.media_type == PDF and self._takes_pdf and file.size <= self._bytes_left:
            self._bytes_left -= file.size
            return Content.from_data(await self._files.contents.read(file), PDF, name=file.name)
        if is_text(file.media_type) or file.media_type in DOCUMENTS:
            return await self._show_text(file, self._files.contents.text)
        if is_audio(file.media_type) and (transcribe := self._transcribe) is not None:
            return await self._show_text(file, lambda each: self._files.contents.transcript(each, transcribe))
        kind = f"{describe(file.media_type)}, {format_size(file.size)}"
        return file_note(file.name, f"Here is the file {{}} ({kind}), which you cannot read.")

    async def _show_picture(self, file: StoredFile) -> Content:
        if self._pictures_left < 1 or self._bytes_left <= 0:
            return file_note(file.name, _NO_ROOM)
        data, media_type = await self._files.contents.model_picture(file)
        if len(data) > self._bytes_left:
            # Older pictures are left out too: to convert them takes time, and a gap between them would mislead.
            self._pictures_left = 0
            return file_note(file.name, _NO_ROOM)
        self._pictures_left -= 1
        self._bytes_left -= len(data)
        original = f"a {describe(file.media_type).split()[1]} image of {file.width} × {file.height} pixels"
        return Content.from_data(data, media_type, name=file.name, additional_properties={ORIGINAL_PROPERTY: original})

    async def _show_text(self, file: StoredFile, read: Callable[[StoredFile], Awaitable[FileText]]) -> Content:
        if self._chars_left < 1:
            return file_note(file.name, _NO_ROOM)
        full_text = await read(file)
        if not full_text.text.strip():
            return file_note(file.name, "The file {} holds no text; its pages may be pictures.")
        excerpt = full_text.truncate(self._chars_left)
        self._chars_left -= len(excerpt.text)
        left_out = excerpt.left_out
        note = f"\n[Left out of this file: {left_out}. There was not room for more.]" if left_out else ""
        return file_text(file.name, excerpt.text, note)
