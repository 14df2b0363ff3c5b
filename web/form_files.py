"""The one file of a form (`multipart/form-data`, RFC 7578) as a stream, never collected in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from errors import BadRequestError, UnsupportedError

FIELD = "file"
"""The name of the field that ChatKit's clients send a file in."""

MAX_OVERHEAD_BYTES = 64 * 1024
"""Size limit of everything in a form except the file."""


@dataclass(slots=True)
class FormFile:
    """A file in a form.

    Attributes:
        name: The file name that the browser sent.
        media_type: The media type that the browser sent.
        chunks: The bytes of the file.
    """

    name: str
    media_type: str
    chunks: AsyncIterator[bytes]


@dataclass(slots=True)
class _Form:
    """State of the parser: the part that is being read, and the data of the file that has not been taken yet."""

    headers: dict[str, bytes] = field(default_factory=dict)
    file_headers: dict[str, bytes] = field(default_factory=dict)
    header_name: bytes = b""
    header_value: bytes = b""
    is_file: bool = False
    was_file: bool = False
    is_over: bool = False
    overhead: int = 0
    data: bytearray = field(default_factory=bytearray)

    def on_part_begin(self) -> None:
        self.headers.clear()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.header_name += data[start:end]
        self._count(end - start)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.header_value += data[start:end]
        self._count(end - start)

    def on_header_end(self) -> None:
        self.headers[self.header_name.decode("latin-1").lower()] = self.header_value
        self.header_name = self.header_value = b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self.headers.get("content-disposition", b""))
        self.is_file = options.get(b"name") == FIELD.encode() and b"filename" in options
        if self.is_file and self.was_file:
            # Ignoring the second file would lose it without a word.
            raise BadRequestError("The form holds more than one file.", code="attachments.malformed")
        if self.is_file:
            self.file_headers = dict(self.headers)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self.is_file:
            self.data += data[start:end]
        else:
            self._count(end - start)

    def on_part_end(self) -> None:
        self.was_file = self.was_file or self.is_file
        self.is_file = False

    def on_end(self) -> None:
        self.is_over = True

    def _count(self, size: int) -> None:
        self.overhead += size
        if self.overhead > MAX_OVERHEAD_BYTES:
            raise BadRequestError("The form holds more than a file.", code="attachments.malformed")


async def read_form_file(request: Request) -> FormFile:
    """Return the file of a form as soon as its headers have been read.

    Raises:
        UnsupportedError: When the body is no form.
        BadRequestError: When it has no file.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise UnsupportedError("The body must be a form, with the content type multipart/form-data.")
    form, body = _Form(), request.stream()
    names = [name for name in dir(form) if name.startswith("on_")]
    try:
        parser = MultipartParser(boundary, {name: getattr(form, name) for name in names})  # type: ignore[arg-type]
    except FormParserError as exc:
        raise _malformed() from exc
    while not form.is_file and not form.was_file:
        chunk = await anext(body, b"")
        if not chunk:
            raise BadRequestError(f"The form has no file in a field '{FIELD}'.", code="attachments.malformed")
        _feed(parser, chunk)

    async def chunks() -> AsyncIterator[bytes]:
        while True:
            if form.data:
                yield bytes(form.data)
                form.data.clear()
            if form.is_over:
                return
            chunk = await anext(body, b"")
            if not chunk:
                raise BadRequestError("The form ends too early.", code="attachments.malformed")
            _feed(parser, chunk)

    _, disposition = parse_options_header(form.file_headers["content-disposition"])
    name = disposition[b"filename"].decode("utf-8", errors="replace")
    return FormFile(name, form.file_headers.get("content-type", b"").decode("latin-1"), chunks())


def _feed(parser: MultipartParser, chunk: bytes) -> None:
    try:
        parser.write(chunk)
    except FormParserError as exc:
        raise _malformed() from exc


def _malformed() -> BadRequestError:
    return BadRequestError("The form is malformed.", code="attachments.malformed")
