"""A ChatKit server in memory with files, dictation and sessions: openai-chatkit without Parlor.

Its upload endpoints are real ones: two-phase uploads by POST and by PUT, and direct uploads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from chatkit.server import StreamingResult
from chatkit.store import AttachmentStore, NotFoundError
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    AudioInput,
    FileAttachment,
    ImageAttachment,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
    UserMessageItem,
)
from pydantic import AnyUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.browser.servers.pages import build_page_routes
from tests.browser.servers.plain import Context, MemoryStore, PlainServer
from tests.browser.servers.scripted import Gate


class FileStore(MemoryStore):
    """A store in memory that also has attachments."""

    def __init__(self) -> None:
        super().__init__()
        self.attachments: dict[str, Attachment] = {}

    async def save_attachment(self, attachment: Attachment, context: Context) -> None:
        self.attachments[attachment.id] = attachment

    async def load_attachment(self, attachment_id: str, context: Context) -> Attachment:
        if attachment_id not in self.attachments:
            raise NotFoundError(f"no attachment {attachment_id}")
        return self.attachments[attachment_id]

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        self.attachments.pop(attachment_id, None)


class Files(AttachmentStore[Context]):
    """An attachment store that describes uploads and has the bytes of the files."""

    def __init__(self, store: FileStore) -> None:
        self.store = store
        self.method = "POST"
        self.content: dict[str, bytes] = {}
        self.deleted: list[str] = []

    async def create_attachment(self, input: AttachmentCreateParams, context: Context) -> Attachment:
        attachment = self.describe(input.name, input.mime_type, context)
        place = AnyUrl(f"{context['base']}files/{attachment.id}")
        headers = {"X-Place": "shelf"} if self.method == "PUT" else {}
        attachment.upload_descriptor = AttachmentUploadDescriptor(url=place, method=self.method, headers=headers)
        await self.store.save_attachment(attachment, context)
        return attachment

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        self.deleted.append(attachment_id)
        self.content.pop(attachment_id, None)

    def describe(self, name: str, mime_type: str, context: Context) -> Attachment:
        """Return a new attachment without an upload descriptor."""
        attachment_id = self.generate_attachment_id(mime_type, context)
        if not mime_type.startswith("image/"):
            return FileAttachment(id=attachment_id, name=name, mime_type=mime_type)
        address = AnyUrl(f"{context['base']}files/{attachment_id}")
        return ImageAttachment(id=attachment_id, name=name, mime_type=mime_type, preview_url=address)


class FilesServer(PlainServer):
    """Answers with the names and sizes of the attachments, and transcribes dictations.

    Args:
        secret: The valid client secret.

    Attributes:
        files: The uploaded and deleted files.
        gate: Delays uploads until the test opens it.
        refusals: Number of further uploads that are answered with 503.
        heard: The audio of the dictations.
        secrets: The `Authorization` of each request to the hosted endpoint.
    """

    def __init__(self, secret: str) -> None:
        store = FileStore()
        self._secret = secret
        self.files = Files(store)
        super().__init__(store, attachment_store=self.files)
        self.gate: Gate | None = None
        self.refusals = 0
        self.heard: list[AudioInput] = []
        self.secrets: list[str | None] = []
        self.app = Starlette(
            routes=[
                Route("/chatkit", self._chatkit, methods=["POST"]),
                Route("/hosted", self._hosted, methods=["POST"]),
                Route("/api/create-session", self._session, methods=["POST"]),
                Route("/upload", self._upload_directly, methods=["POST"]),
                Route("/files/{attachment_id}", self._upload, methods=["POST", "PUT"]),
                Route("/files/{attachment_id}", self._download, methods=["GET"]),
                *build_page_routes(),
            ]
        )

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Context
    ) -> AsyncIterator[ThreadStreamEvent]:
        if input_user_message is None or not input_user_message.attachments:
            async for event in super().respond(thread, input_user_message, context):
                yield event
            return
        sizes = [f"{each.name}: {len(self.files.content[each.id])} bytes" for each in input_user_message.attachments]
        async for event in self._say(thread, "; ".join(sizes), context):
            yield event

    async def transcribe(self, audio_input: AudioInput, context: Context) -> TranscriptionResult:
        self.heard.append(audio_input)
        return TranscriptionResult(text="what was said")

    async def _chatkit(self, request: Request) -> Response:
        result = await self.process(await request.body(), {"base": str(request.base_url)})
        if isinstance(result, StreamingResult):
            return StreamingResponse(result, media_type="text/event-stream")
        return Response(result.json, media_type="application/json")

    async def _hosted(self, request: Request) -> Response:
        self.secrets.append(request.headers.get("authorization"))
        if self.secrets[-1] != f"Bearer {self._secret}":
            return JSONResponse({"error": {"message": "the session is over"}}, status_code=401)
        return await self._chatkit(request)

    async def _session(self, request: Request) -> Response:
        # The first secret has expired.
        return JSONResponse({"client_secret": self._secret if self.secrets else "ek_stale"})

    async def _upload(self, request: Request) -> Response:
        refusal = await self._delay()
        if refusal:
            return refusal
        attachment_id = request.path_params["attachment_id"]
        if request.method == "PUT":
            assert request.headers["x-place"] == "shelf"
            self.files.content[attachment_id] = await request.body()
            return Response(status_code=204)
        _, _, self.files.content[attachment_id] = await _read_form(request)
        attachment = await self.store.load_attachment(attachment_id, {})
        return Response(attachment.model_dump_json(exclude={"upload_descriptor"}), media_type="application/json")

    async def _upload_directly(self, request: Request) -> Response:
        refusal = await self._delay()
        if refusal:
            return refusal
        name, mime_type, content = await _read_form(request)
        attachment = self.files.describe(name, mime_type, {"base": str(request.base_url)})
        await self.store.save_attachment(attachment, {})
        self.files.content[attachment.id] = content
        return Response(attachment.model_dump_json(), media_type="application/json")

    async def _delay(self) -> Response | None:
        if self.gate:
            await self.gate.passed()
        if self.refusals == 0:
            return None
        self.refusals -= 1
        return JSONResponse({"error": {"message": "the shelf is full"}}, status_code=503)

    async def _download(self, request: Request) -> Response:
        attachment_id = request.path_params["attachment_id"]
        attachment = await self.store.load_attachment(attachment_id, {})
        return Response(self.files.content[attachment_id], media_type=attachment.mime_type)


async def _read_form(request: Request) -> tuple[str, str, bytes]:
    async with request.form() as form:
        file = form["file"]
        assert not isinstance(file, str)
        return file.filename or "", file.content_type or "", await file.read()
