"""Base class of agents that make allowed calls themselves; Agent Framework's have them made by the platform."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_framework import Content, Message

    from turns.approval_request import PendingApproval


class ReplayingAgent(ABC):
    """An agent of the platform's that is asked for the calls that a person has allowed.

    A base class and no mere method: an agent of an author's may have one of this name for something else.
    """

    @abstractmethod
    def replay_calls(
        self, messages: Sequence[Message], calls: Sequence[PendingApproval], *, is_allowed: bool
    ) -> AsyncGenerator[Content, None]:
        """Make calls, and return what came of each as ``function_result`` contents.

        Args:
            messages: The thread, as the agent gets to see it.
            calls: The calls to make.
            is_allowed: Whether a person has allowed them; if not, those that need approval are left out.
        """
        ...
