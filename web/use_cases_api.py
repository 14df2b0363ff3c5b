"""`GET /api/use-cases`: the use cases that a user may see, with their start screens and composer options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from attachments import ParlorAttachmentStore
from plugins import UseCase
from process.use_case_loading import DisabledUseCase
from storage.use_case_directory import SharedUseCase, UseCaseDirectory
from web.identity import build_context
from web.request_log import notes_of
from web.visible_use_cases import VisibleUseCases

DISABLED_MESSAGE = "This use case could not be loaded; the log says why."
DOWN_MESSAGE = "It cannot be reached at the moment."


def build_use_cases_router(
    use_cases: VisibleUseCases,
    attachments: ParlorAttachmentStore,
    max_message_chars: int,
    directory: UseCaseDirectory | None = None,
) -> APIRouter:
    """Return the route that lists the use cases which the user may see.

    Args:
        use_cases: The use cases of this process.
        attachments: Tells which files each use case accepts, within the platform's limits.
        max_message_chars: Longest message, in characters; the client enforces it while a message is written.
        directory: Lists the use cases of other services; None when they are not shared.
    """
    router = APIRouter()

    @router.get("/api/use-cases")
    async def list_use_cases(request: Request) -> Response:
        """List the use cases."""
        visible = await use_cases.visible(build_context(request))
        default = use_cases.default_name(visible)
        disabled = [describe_disabled(each) for each in await use_cases.disabled()]
        others: list[SharedUseCase] = []
        session = notes_of(request.scope).session
        has_uploads = session is None or session.configuration.has_uploads
        if session is not None:
            # A session is for one use case, and lists no other.
            visible = {name: use_case for name, use_case in visible.items() if name == session.use_case}
            default, disabled = session.use_case, []
        elif directory is not None:
            others = await directory.load_others(await use_cases.names())
            disabled += [describe_down(each) for each in others if each.is_down]
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
                ]
                + [{**each.description, "default": False} for each in others if not each.is_down],
                "disabled": disabled,
            }
        )

    return router


def describe_use_case(
    use_case: UseCase, attachments: Mapping[str, Any] | None, *, is_default: bool, max_message_chars: int
) -> dict[str, Any]:
    """Return a use case as the client reads it; `attachments` are the upload options within the platform's limits."""
    composer = use_case.composer
    entry: dict[str, Any] = {
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
        entry["accentColor"] = use_case.accent_color
    return entry


def describe_down(other: SharedUseCase) -> dict[str, str]:
    """Return a use case whose service is down, as the client reads it."""
    labels = {name: other.description[name] for name in ("title", "icon") if name in other.description}
    return {"name": other.name, **labels, "message": DOWN_MESSAGE, "id": ""}


async def announce_use_cases(
    directory: UseCaseDirectory, use_cases: VisibleUseCases, attachments: ParlorAttachmentStore, max_message_chars: int
) -> None:
    """Announce the use cases of this process to other services, except those that are restricted to some users."""
    unrestricted = await use_cases.unrestricted()
    await directory.announce(
        {
            use_case.name: describe_use_case(
                use_case,
                attachments.rules_of(use_case.composer.attachments).options(),
                is_default=False,
                max_message_chars=max_message_chars,
            )
            for use_case in unrestricted
        }
    )


def describe_disabled(disabled: DisabledUseCase) -> dict[str, str]:
    """Return a disabled use case as the client reads it, without the reason, which may contain an exception's text."""
    return {"name": disabled.name, "message": DISABLED_MESSAGE, "id": disabled.error_id}
