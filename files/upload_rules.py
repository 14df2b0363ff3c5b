"""Rules of uploads: the option `composer.attachments` of a use case, within the limits of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from errors import BadRequestError, ForbiddenError, TooLargeError, UnsupportedError
from files.media_types import (
    AVIF,
    HEIC,
    KNOWN_TYPES,
    OFFICE,
    PDF,
    PICTURES,
    UNKNOWN,
    UNSUPPORTED_PICTURES,
    describe,
    extension_of,
    is_audio,
    is_text,
    normalize_type,
    text_type,
)  # fmt: skip

DEFAULT_MAX_FILES = 10
MAX_FILES = 20

_CATCH_ALL = ("*/*", "*")
_READABLE_TYPES = PICTURES | OFFICE | {AVIF, HEIC, PDF, UNKNOWN}


@dataclass(frozen=True, slots=True)
class UploadRules:
    """Rules for the files of one use case.

    Attributes:
        is_enabled: Whether files are accepted at all.
        max_bytes: The largest size of a file of any type, in bytes.
        max_bytes_by_type: Lower limits by media type or pattern, in bytes.
        max_files: The largest number of files of a message.
        types: Accepted media types and patterns; if `extensions` is empty too, all known types are accepted.
        extensions: Accepted extensions, with their dot.
        accept: ChatKit's `accept`, from which `types` and `extensions` are derived.
    """

    is_enabled: bool = False
    max_bytes: int = 0
    max_bytes_by_type: Mapping[str, int] | None = None
    max_files: int = DEFAULT_MAX_FILES
    types: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    accept: Mapping[str, Any] | None = None

    def limit_for(self, media_type: str) -> int:
        """Return the size limit for a media type, in bytes; the most specific pattern applies."""
        limits = self.max_bytes_by_type or {}
        for pattern in (media_type, f"{media_type.partition('/')[0]}/*", *_CATCH_ALL, ""):
            if pattern in limits:
                return min(limits[pattern], self.max_bytes)
        return self.max_bytes

    def check(self, name: str, media_type: str, size: int | None, *, is_declared: bool) -> None:
        """Check a file against the rules: before the upload by its declared type, after it by the detected one.

        Args:
            name: The name of the file.
            media_type: The media type, normalized.
            size: The size in bytes; None when it is not known yet.
            is_declared: Whether the type is only declared: an unknown one is then left to the check after the upload.

        Raises:
            ForbiddenError: When no files are accepted.
            UnsupportedError: When files of this type are not accepted.
            TooLargeError: When the file is too large.
            BadRequestError: When the file is empty.
        """
        if not self.is_enabled:
            raise ForbiddenError("Files cannot be attached here.", code="attachments.off")
        # Some systems declare TypeScript as video, and CSV as a workbook.
        kind = (text_type(media_type, name) if is_declared else None) or media_type
        if kind in UNSUPPORTED_PICTURES and kind not in self.types:
            # A pattern such as `image/*` does not include them.
            raise UnsupportedError(
                f"{describe(kind)[2:]}s cannot be looked at here: save the picture as JPEG or PNG, and send that.",
                code="attachments.type_refused",
            )
        if not self._accepts(name, kind, is_declared=is_declared):
            raise UnsupportedError(
                f"{describe(media_type)[:1].upper()}{describe(media_type)[1:]} cannot be attached here.",
                code="attachments.type_refused",
            )
        if size is None:
            return
        if size < 1:
            raise BadRequestError("The file is empty.", code="attachments.empty")
        if size > self.limit_for(media_type):
            raise too_large(self.limit_for(media_type))

    def _accepts(self, name: str, media_type: str, *, is_declared: bool) -> bool:
        is_known = media_type != UNKNOWN or is_declared
        if not self.types and not self.extensions:
            is_readable = media_type in _READABLE_TYPES or is_text(media_type) or is_audio(media_type)
            return is_known and is_readable
        if is_known and extension_of(name) in self.extensions:
            return True
        family = f"{media_type.partition('/')[0]}/*"
        return any(each in (media_type, family, *_CATCH_ALL) for each in self.types)

    def options(self) -> dict[str, Any] | None:
        """Return `composer.attachments` for the client, which applies the same rules; None when files are off."""
        if not self.is_enabled:
            return None
        by_type = {pattern: min(size, self.max_bytes) for pattern, size in (self.max_bytes_by_type or {}).items()}
        return {
            "enabled": True,
            "maxCount": self.max_files,
            "maxSize": {"*": self.max_bytes, **by_type} if by_type else self.max_bytes,
            "accept": self.accept or {kind: list(extensions) for kind, extensions in KNOWN_TYPES.items()},
        }


def build_upload_rules(option: Mapping[str, Any] | None, max_bytes: int) -> UploadRules:
    """Return the upload rules of a use case's `Composer(attachments=…)`.

    Args:
        option: ChatKit's `composer.attachments`; invalid limits are replaced by the defaults, as in the client.
        max_bytes: The largest file of any use case, in bytes.
    """
    if option is None or option.get("enabled") is not True:
        return UploadRules()
    size, count, accept = option.get("maxSize"), option.get("maxCount"), option.get("accept")
    accept = accept if isinstance(accept, Mapping) else {}
    by_type = {
        "" if pattern == "*" else str(pattern).lower(): int(limit)
        for pattern, limit in (size.items() if isinstance(size, Mapping) else ())
        if _is_limit(limit)
    }
    extensions = [each for value in accept.values() for each in ([value] if isinstance(value, str) else value or ())]
    return UploadRules(
        is_enabled=True,
        max_bytes=min(int(size or 0), max_bytes) if _is_limit(size) else max_bytes,
        max_bytes_by_type=by_type,
        max_files=min(int(count or 0), MAX_FILES) if _is_limit(count) else DEFAULT_MAX_FILES,
        types=tuple(normalize_type(str(pattern)) for pattern in accept),
        accept=dict(accept),
        extensions=tuple(f".{str(each).removeprefix('.').lower()}" for each in extensions if str(each).strip(". ")),
    )


def too_large(limit: int) -> TooLargeError:
    """Return the error for a file of more than `limit` bytes."""
    return TooLargeError(f"The file is too large: at most {format_size(limit)}.", code="attachments.too_large")


def format_size(size: int) -> str:
    """Return a size in bytes as text with a unit, e.g. ``"20 MB"``."""
    value, units = float(size), iter(("B", "KB", "MB"))
    unit = next(units)
    while value >= 1024 and (larger := next(units, None)):
        value, unit = value / 1024, larger
    return f"{round(value, 1):g} {unit}"


def _is_limit(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
