"""Checks of the widgets of an answer, and reports of their mistakes to the author, the log and the model.

They cover widgets that tools, hooks and actions show through their turn, that templates build, and that servers and
agents yield in events.
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

MAX_REPORTED_MISTAKES = 5
"""How many mistakes of one widget are reported; the others show once these are corrected."""

_remarks: ContextVar[list[str] | None] = ContextVar("widget remarks", default=None)


class WidgetChecks:
    """Checks the widgets of one answer and reports their mistakes.

    Args:
        environment: With ``test``, a mistake raises an error; with ``development``, it is shown in the chat, logged
            and told to the model; with ``production``, it is logged in one line.
        actions: The names of the declared actions; None when they are not known.
    """

    def __init__(self, environment: Environment = "production", actions: Collection[str] | None = None) -> None:
        self._environment = environment
        self._actions = actions
        self._reported: set[Finding] = set()

    def build_document(self, widget: Widget) -> WidgetDocument:
        """Return a widget in the form in which it is sent and stored.

        Raises:
            WidgetError: When it is not a widget; the error says where the mistake is.
        """
        try:
            return widget_root(widget)
        except ValueError as exc:
            raise WidgetError(str(exc)) from exc

    def check(self, widget: Widget) -> NoticeEvent | None:
        """Check a widget and log its mistakes; return a notice for the chat in development, else None.

        Raises:
            WidgetError: When it has mistakes, in tests.
        """
        # A mistake that was reported for an earlier state of the widget is not reported again.
        findings = [new for new in validate_widget(widget, actions=self._actions) if new not in self._reported]
        if not findings:
            return None
        self._reported.update(findings)
        messages = [str(finding) for finding in findings[:MAX_REPORTED_MISTAKES]]
        if len(findings) > MAX_REPORTED_MISTAKES:
            messages.append(f"… and {len(findings) - MAX_REPORTED_MISTAKES} more")
        if self._environment == "test":
            raise WidgetError("; ".join(messages))
        log_fields = {"findings": len(findings), "path": findings[0].path, "kind": findings[0].kind}
        if self._environment == "production":
            logger.warning("a widget has mistakes", extra=log_fields)
            return None
        logger.warning("a widget has mistakes", extra=log_fields | {"told": messages})
        if (remarks := _remarks.get()) is not None:
            # Not in production: what a model reads, a person may read in its answer.
            remarks.append(f"The widget was shown with mistakes in it: {'; '.join(messages)}.")
        lines = "\n".join(f"- `{line.replace('`', '')}`" for line in messages)
        return NoticeEvent(level="warning", title="A widget has mistakes", message=lines)


@contextmanager
def widget_remarks() -> Iterator[list[str]]:
    """Collect the mistakes of the widgets that are shown within this block, as sentences for the model."""
    remarks: list[str] = []
    token = _remarks.set(remarks)
    try:
        yield remarks
    finally:
        _remarks.reset(token)
