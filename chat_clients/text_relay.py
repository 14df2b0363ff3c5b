"""Text on its short way: shown at once where that is possible, and said again to those on the long way."""

from __future__ import annotations

from collections.abc import Iterator

from agent_framework import ChatResponseUpdate

from lean_updates import TextSink, TextUpdate, build_shown_update


class TextRelay:
    """Gives text to a sink; what the sink has shown is said once more, in one piece, before anything else follows.

    So the framework has the whole answer for its next request to the model, and nobody reads it twice.

    Args:
        show_text: Shows text; None where there is only the long way.
    """

    def __init__(self, show_text: TextSink | None) -> None:
        self._show_text = show_text
        self._shown: list[str] = []
        self._place: tuple[str | None, str | None] = (None, None)

    def take(self, update: ChatResponseUpdate) -> bool:
        """Show an update that is a piece of text; return whether that was possible."""
        if self._show_text is None or type(update) is not TextUpdate:
            return False
        text = update.contents[0].text or ""
        if not self._show_text(text, update.message_id):
            return False
        self._shown.append(text)
        self._place = (update.message_id, update.response_id)
        return True

    def say_again(self) -> Iterator[TextUpdate]:
        """Return what was shown since the last time, for those on the long way."""
        if self._shown:
            yield build_shown_update("".join(self._shown), *self._place)
            self._shown.clear()
