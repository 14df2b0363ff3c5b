"""`GET /api/use-cases`: the use cases with all that the client needs to offer them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from attachments import ParlorAttachmentStore
from plugins import UseCase
from process.use_case_loading import DisabledUseCase
from web.identity import build_context
from web.request_log import notes_of
from web.visible_use_cases import VisibleUseCases

DISABLED_MESSAGE = "This use case could not be loaded; the log says why."


def build_use_cases_router(
    use_cases: VisibleUseCases, attachments: ParlorAttachmentStore, max_message_chars: int
) -> APIRouter:
    """Return the route that lists the use cases which the asking user may see, and the files that each takes.

    Args:
        use_cases: Those that there are.
        attachments: Knows the platform's limits for files.
        max_message_chars: How long a message may be: the client refuses a longer one where it is written.
    """
    router = APIRouter()

    @router.get("/api/use-cases")
    async def list_use_cases(request: Request) -> Response:
        """List the use cases."""
        visible = await use_cases.visible(build_context(request))
        default = use_cases.default_name(visible)
        disabled = await use_cases.disabled()
        session = notes_of(request.scope).session
        has_uploads = session is None or session.configuration.has_uploads
        if session is not None:
            # It opens one use case, and that is all that its page sees.
            visible = {name: use_case for name, use_case in visible.items() if name == session.use_case}
            default, disabled = session.use_case, []
        return JSONResponse(
            {
                "use_cases": [
                    describe_use_case(
                        use_case,
                        attachments.rules_of(use_case.composer.attachments if has_uploads else None).options(),
                        is_default=name == default,
                        max_message_chars=max_message_chars,
                    )
                    for name, use_case in visible.items()
                ],
                "disabled": [describe_disabled(each) for each in disabled],
            }
        )

    return router


def describe_use_case(
    use_case: UseCase, attachments: Mapping[str, Any] | None, *, is_default: bool, max_message_chars: int
) -> dict[str, Any]:
    """Return `use_case` in the client's words; `attachments` is what it takes within the platform's limits."""
    composer = use_case.composer
    described: dict[str, Any] = {
        "name": use_case.name,
        "title": use_case.title,
        "description": use_case.description,
        "icon": use_case.icon,
        "greeting": use_case.greeting,
        "prompts": [{"label": p.label, "prompt": p.prompt, "icon": p.icon} for p in use_case.prompts],
        "composer": {
            **({} if composer.placeholder is None else {"placeholder": composer.placeholder}),
            **({} if attachments is None else {"attachments": dict(attachments)}),
            "maxChars": max_message_chars,
            "tools": [dict(tool) for tool in composer.tools],
            "models": [dict(model) for model in composer.models],
        },
        "default": is_default,
    }
    if use_case.accent_color is not None:
        described["accentColor"] = use_case.accent_color
    return described


def describe_disabled(disabled: DisabledUseCase) -> dict[str, str]:
    """Return a missing use case in the client's words, without its reason, which may hold an exception's text."""
    return {"name": disabled.name, "message": DISABLED_MESSAGE, "id": disabled.error_id}
