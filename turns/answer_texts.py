"""AnswerTexts: the platform's own texts within an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerTexts:
    """The texts of an answer that come from neither the model nor the use case.

    The defaults are English. A use case returns its own from `BaseChatKitServer.texts`. Braces mark placeholders.

    Attributes:
        limit: The end of an answer that has reached its limit of steps.
        no_picture: Precedes an answer to a picture that the model does not accept.
        refused: Replaces an answer that a guardrail of an Agents SDK agent refuses.
        step_failed: The note at a step that failed.
        step_waits: The note at a step that a person has to allow first.
        steps: The title of several steps; `{count}` is their number.
        web_search: The title of a search on the web.
        file_search: The title of a search in files; the query follows after a colon.
        running_code: The title of code that the provider runs, where the tool has no name.
        remote_tool: The title of a tool on another server, where it has no name.
        running_command: The title of a command that the provider runs, where the tool has no name.
        using_computer: The title of a computer that the provider uses, where the tool has no name.
        agent_step: The title of an agent of a workflow whose output is not shown, where it has no name.
        ask: The title of the card that asks whether tools may be called.
        allow: The button of the card that allows one call.
        reject: The button of the card that refuses one call.
        allowed: The note at a call that was allowed.
        rejected: The note at a call that was refused.
        expired: The note at a call that was not made, because the person sent a message before all was decided.
        undecided: The last line of a card on which some calls are decided and others are not.
    """

    limit: str = "I stopped here: this took more steps than I may take for one answer. Ask me to go on if you like."
    no_picture: str = "The model does not take this picture, so the answer is given without it."
    refused: str = "I cannot help with that."
    step_failed: str = "This step failed."
    step_waits: str = "Waits for you."
    steps: str = "{count} steps"
    web_search: str = "Searching the web"
    file_search: str = "Searching files"
    running_code: str = "Running code"
    remote_tool: str = "Using a remote tool"
    running_command: str = "Running a command"
    using_computer: str = "Using a computer"
    agent_step: str = "Working on it"
    ask: str = "May I do this?"
    allow: str = "Allow"
    reject: str = "Don't allow"
    allowed: str = "Allowed"
    rejected: str = "Not allowed"
    expired: str = "Not done"
    undecided: str = "I go on when everything here is decided."
