"""Sessions for exported files: as the thread is the memory, each begins with the thread and ends with the answer.

The file's own session would be empty in each answer if it is in memory, and shared by all people if it is in a database
under a fixed name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.memory.session import SessionABC

from agents_sdk.workflows.workflow_input import Item, PersonsMessage


class ThreadSession(SessionABC):
    """A session that is kept in memory for one answer.

    Args:
        session_id: The name that the file gives it.
        items: The earlier items of the conversation.
    """

    def __init__(self, session_id: str, items: Sequence[Item]) -> None:
        self.session_id = session_id
        self._items: list[Any] = list(items)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Return the items, oldest first; with a limit, the newest of them."""
        return list(self._items) if limit is None else self._items[max(0, len(self._items) - limit) :]

    async def add_items(self, items: list[Any]) -> None:
        """Append items to the session."""
        self._items.extend(items)

    async def pop_item(self) -> Any:
        """Remove and return the newest item; None if there is none."""
        return self._items.pop() if self._items else None

    async def clear_session(self) -> None:
        """Remove all items."""
        self._items.clear()


class ThreadSessions:
    """The sessions of one answer, by the names that the file gives them.

    Args:
        message: The message that is answered.
    """

    def __init__(self, message: PersonsMessage) -> None:
        self._message = message
        self._sessions: dict[str, ThreadSession] = {}

    def begin_run(self, run_input: Any, options: Mapping[str, Any]) -> tuple[Any, ThreadSession | None]:
        """Return the input of a run, and the session that replaces the file's; None if the file gives none.

        Args:
            run_input: The input from the file; if it is the person's message, the session begins with the thread.
            options: The other arguments of the run.
        """
        file_session = options.get("session")
        if file_session is None:
            return run_input, None
        name = str(getattr(file_session, "session_id", ""))
        continued = self._message.with_history(run_input)
        is_the_message = continued is not run_input
        if name not in self._sessions:
            self._sessions[name] = ThreadSession(name, self._message.history if is_the_message else ())
        if not is_the_message or not isinstance(run_input, str):
            return run_input, self._sessions[name]
        return [self._message.item] if self._message.extras else run_input, self._sessions[name]

    async def record(self, run_input: Any, options: Mapping[str, Any], result: Any) -> None:
        """Add a run from before a question to its session, as the run itself would do."""
        run_input, session = self.begin_run(run_input, options)
        if session is not None:
            items = [{"role": "user", "content": run_input}] if isinstance(run_input, str) else list(run_input)
            await session.add_items([*items, *(item.to_input_item() for item in result.new_items)])
