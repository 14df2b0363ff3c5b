"""Checks of widgets where they enter an answer: who is told of a mistake, and how.

All ways lead here: what tools, hooks and actions show through their turn, what templates build, and the events that
servers and agents yield themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from chatkit.types import NoticeEvent

from errors import WidgetError
from widgets.documents import Widget, WidgetDocument, widget_root
from widgets.findings import Finding
from widgets.validation import validate_widget

logger = logging.getLogger(__name__)

Environment = Literal["development", "production", "test"]

MAX_TOLD = 5
"""How many mistakes of one widget are told; with these mended, the others show."""

_remarks: ContextVar[list[str] | None] = ContextVar("widget remarks", default=None)


class WidgetChecks:
    """Looks at the widgets of one answer and tells whoever can mend them.

    Args:
        environment: With ``test`` a mistake is an error, with ``development`` chat, log and model are told, with
            ``production`` it is one line in the log.
        actions: The names of the declared actions; None when it is not known which there are.
    """

    def __init__(self, environment: Environment = "production", actions: Collection[str] | None = None) -> None:
        self._environment = environment
        self._actions = actions
        self._told: set[Finding] = set()

    def document(self, widget: Widget) -> WidgetDocument:
        """Return a widget in the form in which it is sent and stored.

        Raises:
            WidgetError: When it is not a widget; the error says where it goes wrong.
        """
        try:
            return widget_root(widget)
        except ValueError as exc:
            raise WidgetError(str(exc)) from exc

    def check(self, widget: Widget) -> NoticeEvent | None:
        """Look at a widget and log its mistakes; return what the chat shows of them, if it shows them.

        Raises:
            WidgetError: When it has mistakes, in tests.
        """
        # What was told of an earlier state of a widget is not told again.
        found = [each for each in validate_widget(widget, actions=self._actions) if each not in self._told]
        if not found:
            return None
        self._told.update(found)
        told = [str(each) for each in found[:MAX_TOLD]]
        if len(found) > MAX_TOLD:
            told.append(f"… and {len(found) - MAX_TOLD} more")
        if self._environment == "test":
            raise WidgetError("; ".join(told))
        first = {"findings": len(found), "path": found[0].path, "kind": found[0].kind}
        if self._environment == "production":
            logger.warning("a widget has mistakes", extra=first)
            return None
        logger.warning("a widget has mistakes", extra=first | {"told": told})
        if (remarks := _remarks.get()) is not None:
            # Not in production: what a model reads, a person may read in its answer.
            remarks.append(f"The widget was shown with mistakes in it: {'; '.join(told)}.")
        lines = "\n".join(f"- `{line.replace('`', '')}`" for line in told)
        return NoticeEvent(level="warning", title="A widget has mistakes", message=lines)


@contextmanager
def widget_remarks() -> Iterator[list[str]]:
    """Gather what is wrong with the widgets that are shown within this block, in sentences for the model."""
    remarks: list[str] = []
    token = _remarks.set(remarks)
    try:
        yield remarks
    finally:
        _remarks.reset(token)
