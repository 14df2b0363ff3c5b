"""AnswerTexts: what the platform itself says to a person within an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerTexts:
    """What a person reads in an answer that neither the model nor the use case has written.

    The defaults are English. A use case returns its own from `BaseChatKitServer.texts`. Braces name what is put in.

    Attributes:
        limit: At the end of an answer that has taken as many steps as it may.
        refused: In the place of an answer that a guardrail of an Agents SDK agent does not let pass.
        step_failed: At a step that failed.
        step_waits: At a step that a person has to allow first.
        steps: The title of several steps; `{count}` is their number.
        web_search: The title of a search on the web.
        file_search: That of a search in files; what was searched for follows after a colon.
        running_code: A tool that the provider runs itself: its title where it has no name.
        remote_tool: The same, of a tool on another server.
        running_command: The same, of a command.
        using_computer: The same, of a computer.
        ask: The title of the card that asks whether tools may be called.
        allow: Its button that allows one call.
        reject: Its button that does not.
        allowed: A call on the card that was allowed.
        rejected: One that was not.
        expired: One that was not done, because the person wrote something else before all was decided.
        undecided: On a card where some calls are decided and others are not.
    """

    limit: str = "I stopped here: this took more steps than I may take for one answer. Ask me to go on if you like."
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
    ask: str = "May I do this?"
    allow: str = "Allow"
    reject: str = "Don't allow"
    allowed: str = "Allowed"
    rejected: str = "Not allowed"
    expired: str = "Not done"
    undecided: str = "I go on when everything here is decided."
