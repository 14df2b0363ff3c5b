"""Relay of text: shown directly where that is possible, and said again to those on the way through the agent."""

from __future__ import annotations

from collections.abc import Iterator

from agent_framework import ChatResponseUpdate

from framework.text_updates import TextSink, TextUpdate, build_shown_update
from text.growing_text import GrowingText


class TextRelay:
    """Gives text to a sink; what the sink has shown is said once more, in one piece, before anything else follows.

    So the framework has the whole answer for its next request to the model, and nobody reads it twice.

    Args:
        show_text: Shows text; None where all goes through the agent.
    """

    def __init__(self, show_text: TextSink | None) -> None:
        self._show_text = show_text
        self._shown: GrowingText | None = None
        self._place: tuple[str | None, str | None] = (None, None)

    def take(self, update: ChatResponseUpdate) -> bool:
        """Show an update that is a piece of text; return whether that was possible."""
        if self._show_text is None or type(update) is not TextUpdate:
            return False
        text = update.contents[0].text or ""
        if not self._show_text(text, update.message_id):
            return False
        if self._shown is None:
            self._shown = GrowingText()
            self._place = (update.message_id, update.response_id)
        self._shown.add(text)
        return True

    def say_again(self) -> Iterator[TextUpdate]:
        """Return what was shown since the last time, for those on the way through the agent."""
        shown, self._shown = self._shown, None
        if shown is not None:
            yield build_shown_update(str(shown), *self._place)
