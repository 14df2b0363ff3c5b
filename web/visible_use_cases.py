"""VisibleUseCases: the use cases that a user may see, and the default one."""

from __future__ import annotations

import logging
from dataclasses import replace

from config import Settings
from errors import NotFoundError
from plugins import UseCase
from process.lifecycle import Lifecycle
from process.use_case_loading import DisabledUseCase
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

START_WAIT_S = 30.0
"""Longest wait of a request for the end of the start, in seconds."""

NO_USE_CASE = "There is no such use case."

_PREFERRED_DEFAULT = "weather"


class VisibleUseCases:
    """Use cases as a user sees them: one that is not allowed reads as missing."""

    def __init__(self, lifecycle: Lifecycle, settings: Settings) -> None:
        self._lifecycle = lifecycle
        self._settings = settings

    async def visible(self, context: RequestContext) -> dict[str, UseCase]:
        """Return the use cases that the user of `context` may use, by name, in the order of the names.

        Raises:
            UnavailableError: When the start is not done in time.
        """
        loaded = await self._lifecycle.wait_until_started(START_WAIT_S)
        return {name: use_case for name, use_case in sorted(loaded.enabled.items()) if _is_allowed(use_case, context)}

    async def names(self) -> list[str]:
        """Return the names of all use cases of this process, including restricted and disabled ones."""
        loaded = await self._lifecycle.wait_until_started(START_WAIT_S)
        return [*loaded.enabled, *(disabled.name for disabled in loaded.disabled)]

    async def unrestricted(self) -> list[UseCase]:
        """Return the use cases that everybody may see."""
        loaded = await self._lifecycle.wait_until_started(START_WAIT_S)
        return [use_case for use_case in loaded.enabled.values() if use_case.is_allowed is None]

    async def disabled(self) -> list[DisabledUseCase]:
        """Return the use cases that could not be loaded, in the order of the names."""
        loaded = await self._lifecycle.wait_until_started(START_WAIT_S)
        return sorted(loaded.disabled, key=lambda disabled: disabled.name)

    async def find(self, name: str | None, context: RequestContext) -> UseCase:
        """Return the use case called `name`, or the default one.

        Raises:
            NotFoundError: When there is none, or the user may not use it.
            UnavailableError: When the start is not done in time.
        """
        visible = await self.visible(context)
        use_case = visible.get(name or self.default_name(visible) or "")
        if use_case is None:
            raise NotFoundError(NO_USE_CASE, code="use_case.not_found")
        return use_case

    def default_name(self, visible: dict[str, UseCase]) -> str | None:
        """Return the name of the use case at `POST /chatkit`; None when there is none.

        A configured default that is missing is not replaced, as an unexpected assistant would answer.
        """
        configured = self._settings.default_use_case
        if configured is not None:
            return configured if configured in visible else None
        return _PREFERRED_DEFAULT if _PREFERRED_DEFAULT in visible else next(iter(visible), None)


def _is_allowed(use_case: UseCase, context: RequestContext) -> bool:
    if use_case.is_allowed is None:
        return True
    try:
        return bool(use_case.is_allowed(replace(context, use_case=use_case.name)))
    except (Exception, SystemExit):
        logger.exception(
            "a use case could not say who may use it",
            extra={"use_case": use_case.name, "request_id": context.request_id},
        )
        return False
