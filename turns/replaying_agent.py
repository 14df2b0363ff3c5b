"""Base class of agents that make allowed calls themselves; for Agent Framework's agents, the platform makes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_framework import Content, Message

    from turns.approval_request import PendingApproval


class ReplayingAgent(ABC):
    """An agent of the platform's that can make the calls that a person has allowed.

    A base class instead of duck typing: an author's agent may have an unrelated method of this name.
    """

    @abstractmethod
    def replay_calls(
        self, messages: Sequence[Message], calls: Sequence[PendingApproval], *, is_allowed: bool
    ) -> AsyncGenerator[Content, None]:
        """Make calls, and yield the result of each as a ``function_result`` content.

        Args:
            messages: The thread's messages, as the agent is given them.
            calls: The calls to make.
            is_allowed: Whether a person has allowed them; if not, those that need approval are left out.
        """
        ...
