"""Shows text directly if that is possible, and repeats it for those on the way through the agent."""

from __future__ import annotations

from collections.abc import Iterator

from agent_framework import ChatResponseUpdate

from framework.text_updates import TextSink, TextUpdate, build_shown_update
from text.growing_text import GrowingText


class TextRelay:
    """Passes text to a sink, and repeats what the sink has shown, in one piece, before any other update.

    The framework then has the complete answer for its next request to the model, and nobody reads the text twice.

    Args:
        show_text: Shows text; None when all text goes through the agent.
    """

    def __init__(self, show_text: TextSink | None) -> None:
        self._show_text = show_text
        self._shown: GrowingText | None = None
        self._message_ids: tuple[str | None, str | None] = (None, None)

    def take(self, update: ChatResponseUpdate) -> bool:
        """Show an update directly if it is a piece of text; return whether it was shown."""
        if self._show_text is None or type(update) is not TextUpdate:
            return False
        text = update.contents[0].text or ""
        if not self._show_text(text, update.message_id):
            return False
        if self._shown is None:
            self._shown = GrowingText()
            self._message_ids = (update.message_id, update.response_id)
        self._shown.add(text)
        return True

    def replay_shown(self) -> Iterator[TextUpdate]:
        """Yield the text shown since the last call, for those on the way through the agent."""
        shown, self._shown = self._shown, None
        if shown is not None:
            yield build_shown_update(str(shown), *self._message_ids)
