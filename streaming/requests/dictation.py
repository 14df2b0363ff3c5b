"""Dictation: the model provider turns speech into text, where it can."""

from __future__ import annotations

from chatkit.types import AudioInput, TranscriptionResult

from context import Services
from errors import BadRequestError, UnavailableError


async def transcribe_audio(services: Services, audio_input: AudioInput) -> TranscriptionResult:
    """Return the transcript of a recording for ChatKit.

    Raises:
        UnavailableError: When the provider cannot transcribe.
        BadRequestError: When nothing was said.
    """
    if services.transcribe is None:
        raise UnavailableError("Dictation is not available here.", code="dictation.unavailable", allow_retry=False)
    if not audio_input.data:
        raise BadRequestError("The recording is empty.")
    return TranscriptionResult(text=await services.transcribe(audio_input.data, audio_input.media_type))
