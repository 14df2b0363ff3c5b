"""Services (per process), RequestContext (per request), Turn (per answer): what a use case is handed.

These are a use case's whole view of the platform: `Services` when it is registered, `Turn` in `get_agent`, tools and
`post_respond_hook`, `ActionTurn` in action handlers. It may return `AnswerTexts`.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from chatkit.types import (
    ClientEffectEvent,
    NoticeEvent,
    ProgressUpdateEvent,
    StructuredInput,
    StructuredInputItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)

from file_library.attached_file import AttachedFile as AttachedFile
from file_library.file_widget import build_file_widget
from turns.answer_state import ASKING_RULE
from turns.answer_texts import AnswerTexts as AnswerTexts
from turns.clock import utc_now as utc_now
from turns.request_context import RequestContext as RequestContext
from turns.widget_frames import WidgetFrames
from widgets.documents import Widget

if TYPE_CHECKING:
    from agent_framework import BaseChatClient, FunctionInvocationContext

    from attachments import ParlorAttachmentStore
    from chat_clients.offline.offline_phrase import OfflinePhrase
    from config import Settings
    from database import Database
    from errors import ModelError
    from runs.registry import Runs
    from store import ParlorStore

TURN_KWARG = "turn"
"""The name under which a running agent's tools find their `Turn`."""


class ChatClientFactory(Protocol):
    """Makes chat clients of the configured provider."""

    def __call__(self, offline: Sequence[OfflinePhrase] = ()) -> BaseChatClient[Any]:
        """Return a chat client, ready to be given to an `Agent`.

        Args:
            offline: The phrasings that the built-in model understands when no provider is configured.
        """
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The platform as a use case gets it, once per process.

    Attributes:
        settings: All settings, read once.
        database: The engine; `database.read()` and `database.write()` open sessions.
        store: Threads and their items.
        attachments: The files that people attach, and their bytes.
        chat_client: Makes a chat client of the configured provider: ``services.chat_client(offline_phrases)``.
        explain_model_failure: Converts an exception of a provider's client into an error that a person may read.
        runs: The answers that are being written in this process.
        takes_pdf: Whether the provider's models read PDF documents themselves.
        transcribe: Turns a recording (its bytes, its media type) into text; None when the provider does not.
    """

    settings: Settings
    database: Database
    store: ParlorStore
    attachments: ParlorAttachmentStore
    chat_client: ChatClientFactory
    explain_model_failure: Callable[[BaseException], ModelError]
    runs: Runs
    transcribe: Callable[[bytes, str], Awaitable[str]] | None = None
    takes_pdf: bool = False


class Turn:
    """One answer in the making, for tools, `get_agent` and `post_respond_hook`.

    The methods that show something do not block and may be called from synchronous tools. What they show appears in
    the chat at once, in the order of the calls, and is stored if ChatKit stores that kind of event.

    Attributes:
        thread: The thread that is answered. Setting `thread.title` renames it.
        context: The context of the request: the person, the use case, the language.
        services: The platform's services.
        user_message: The message that is answered; None when a client tool's output or a form answer is.
        state: Free for the use case, e.g. for data that tools collect and `post_respond_hook` shows.
        agent_context: The `ctx.context` of the tools of an Agents SDK agent; None with other agents.
    """

    def __init__(
        self,
        thread: ThreadMetadata,
        context: RequestContext,
        services: Services,
        user_message: UserMessageItem | None = None,
    ) -> None:
        self.thread = thread
        self.context = context
        self.services = services
        self.user_message = user_message
        self.state: dict[str, Any] = {}
        self.agent_context: Any = None

    def __copy__(self) -> Self:
        """Return the same turn: a workflow copies the arguments of its tools, and there is only one answer."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the same turn, however deep the copy."""
        return self

    @property
    def is_paused(self) -> bool:
        """Whether the answer waits for the person or the client, and continues in another request."""
        return self.context.answer.is_paused

    @property
    def usage(self) -> Mapping[str, Any]:
        """The provider's token counts of this answer so far, under the provider's names."""
        return self.context.answer.usage

    @property
    def user_id(self) -> str:
        """The id of the user who owns all that this turn reads or writes."""
        return self.context.user_id

    @property
    def locale(self) -> str:
        """The first language of the browser as a BCP 47 tag, e.g. ``"de-CH"``."""
        return self.context.locale

    def new_id(self, kind: Literal["message", "tool_call", "workflow", "task"] = "message") -> str:
        """Return an id for a new item of this thread."""
        return self.services.store.generate_item_id(kind, self.thread, self.context)

    def emit(self, event: ThreadStreamEvent) -> None:
        """Put any ChatKit event into the answer.

        Raises:
            ValueError: When the event cannot be written as JSON; the text says why.
            TurnOverflowError: When far too many events wait to be sent.
        """
        try:
            event.model_dump(mode="json")
        except ValueError as exc:
            raise ValueError(f"an event of type '{event.type}' cannot be sent: {exc}") from exc
        self.context.answer.inbox.put(event)

    def widget(self, widget: Widget, *, copy_text: str | None = None) -> str:
        """Show a widget at the end of the thread, and return its item id.

        Args:
            widget: The JSON of a root component (``{"type": "Card", ...}``) or a ChatKit widget model.
            copy_text: The widget as text, for the clipboard and for the model in later turns.
        """
        item = self._widget_item(self.new_id(), widget, copy_text)
        self.context.answer.inbox.put(ThreadItemDoneEvent(item=item))
        return item.id

    async def stream_widget(self, frames: AsyncIterator[Widget], *, copy_text: str | None = None) -> str:
        """Show a widget that grows: each frame is the whole widget so far; the last one is stored.

        Only the difference between two frames is sent, which is smallest for a growing text with an `id`. Frames that
        come too fast wait, and a text grows at most ten times a second.

        Returns:
            The item id, even if `frames` was empty and nothing was shown.
        """
        item_id = self.new_id()
        shown = WidgetFrames(self.context.answer.inbox)
        try:
            async for frame in frames:
                # Only the first and the last frame are checked: those between are steps from one to the other.
                await shown.show(self._widget_item(item_id, frame, copy_text, is_checked=shown.last is None))
        finally:
            shown.flush()
        if shown.last is not None:
            if shown.count > 1:
                self._check_widget(shown.last.widget)
            self.context.answer.inbox.put(ThreadItemDoneEvent(item=shown.last))
        return item_id

    def replace_widget(self, item_id: str, widget: Widget, *, copy_text: str | None = None) -> None:
        """Replace the widget of the item `item_id` of this thread, also in the store."""
        self.emit(ThreadItemReplacedEvent(item=self._widget_item(item_id, widget, copy_text)))

    def remove_item(self, item_id: str) -> None:
        """Remove an item of this thread, also from the store."""
        self.emit(ThreadItemRemovedEvent(item_id=item_id))

    async def earlier_widgets(self, root_id: str, *, limit: int = 20) -> list[WidgetItem]:
        """Return this thread's stored widgets whose root component has the id `root_id`, newest first.

        Args:
            root_id: The `id` of the widget's root, e.g. ``"todo.list"``.
            limit: How many at most, 1 to 100.
        """
        return await self.services.store.load_widgets(self.thread.id, root_id, limit, self.context)

    @property
    def attachments(self) -> list[AttachedFile]:
        """The files of the message that is answered; empty when there is no such message."""
        sent = self.user_message.attachments if self.user_message is not None else ()
        return self.services.attachments.attached_files(sent, self.context)

    async def earlier_attachments(self) -> list[AttachedFile]:
        """Return all files of this thread, including those that tools have made, newest first."""
        return await self.services.attachments.load_thread_files(self.thread.id, self.context)

    async def file(
        self,
        name: str,
        data: str | bytes | Path | AsyncIterable[bytes],
        *,
        media_type: str | None = None,
        is_shown: bool = True,
    ) -> AttachedFile:
        """Make a file that the person can download; it is deleted with the thread.

        Args:
            name: The name for people, with an extension, e.g. ``"forecast.csv"``.
            data: A text, bytes, a local file, or a stream of bytes.
            media_type: The type; None to infer it from the bytes and the name.
            is_shown: Whether a card with the file is shown at the end of the thread.

        Raises:
            UserFacingError: When it is empty or too large, or the thread is gone.
        """
        files = self.services.attachments
        file = await files.create_file(name, data, self.thread.id, self.context, media_type)
        if is_shown:
            self.widget(build_file_widget(file), copy_text=f"The file “{file.name}” was given to the person.")
        return file

    def progress(self, text: str, icon: str | None = None) -> None:
        """Show a transient line such as "Looking up Bern"; the next visible item replaces it."""
        self.emit(ProgressUpdateEvent(text=text, icon=icon))

    def notice(
        self, message: str, *, title: str | None = None, level: Literal["info", "warning", "danger"] = "info"
    ) -> None:
        """Show a banner that is not stored.

        Args:
            message: Markdown.
            title: A few words above it.
            level: How serious it is.
        """
        self.emit(NoticeEvent(level=level, message=message, title=title))

    def ask(self, *questions: StructuredInput) -> str:
        """Ask the person questions; the answer pauses, and continues when they are answered or skipped.

        The questions replace the composer; the model sees the answers as the person's next message.

        Args:
            questions: ChatKit's `StructuredInputMultipleChoice` and `StructuredInputFreeform`.

        Returns:
            The sentence that a tool should return to the model.

        Raises:
            ValueError: When there is no question, or this answer has asked before.
        """
        if not questions:
            raise ValueError(ASKING_RULE)
        self.context.answer.ask(
            StructuredInputItem(
                id=self.new_id(), thread_id=self.thread.id, created_at=utc_now(), inputs=list(questions)
            )
        )
        return "The person is being asked. Wait for the answer."

    def effect(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        """Tell the page around the chat that something happened (`chatkit.effect`).

        Raises:
            ValueError: When `data` holds something that is not JSON.
        """
        self.emit(ClientEffectEvent(name=name, data=dict(data or {})))

    def _widget_item(
        self, item_id: str, widget: Widget, copy_text: str | None, *, is_checked: bool = True
    ) -> WidgetItem:
        if is_checked:
            self._check_widget(widget)
        return WidgetItem(
            id=item_id,
            thread_id=self.thread.id,
            created_at=utc_now(),
            widget=self.context.answer.widget_checks.build_document(widget),
            copy_text=copy_text,
        )

    def _check_widget(self, widget: Widget) -> None:
        """Check a widget for mistakes, and show them in the chat during development."""
        answer = self.context.answer
        if (notice := answer.widget_checks.check(widget)) is not None:
            answer.inbox.put(notice)


class ActionTurn(Turn):
    """One action in the making: a click or a submitted form, handled without the model.

    Attributes:
        sender: The stored widget that the action came from; None when the page sent it.
    """

    def __init__(
        self,
        thread: ThreadMetadata,
        context: RequestContext,
        services: Services,
        sender: WidgetItem | None,
        *,
        is_streamed: bool = True,
    ) -> None:
        super().__init__(thread, context, services)
        self.sender = sender
        # Without a stream no question can be shown, and the agent cannot continue.
        self._is_streamed = is_streamed

    def ask(self, *questions: StructuredInput) -> str:
        """Ask the person questions; the agent responds to the answers.

        Args:
            questions: One to ten questions, as `Turn.ask` takes them.

        Returns:
            The sentence that `Turn.ask` returns.

        Raises:
            ValueError: When `Turn.ask` raises it, and in an action without a stream, which cannot show a question.
        """
        if not self._is_streamed:
            raise ValueError('a question needs a streamed action: leave out "streaming": False')
        return super().ask(*questions)

    def resume(self) -> None:
        """Run the agent after this action: it responds to what the action has added to the thread."""
        self.context.answer.resume()

    def replace(self, widget: Widget, *, copy_text: str | None = None) -> None:
        """Replace the widget that was clicked by `widget`; without a sender, show it at the end of the thread.

        Args:
            widget: The new state of the widget.
            copy_text: The widget as text; None keeps the sender's.
        """
        if self.sender is None:
            self.widget(widget, copy_text=copy_text)
            return
        self._check_widget(widget)
        document = self.context.answer.widget_checks.build_document(widget)
        item = self.sender.model_copy(update={"widget": document, "copy_text": copy_text or self.sender.copy_text})
        self.context.answer.replace_sender(item)
        self.emit(ThreadItemReplacedEvent(item=item))


def turn_of(ctx: FunctionInvocationContext) -> Turn:
    """Return the `Turn` that a tool belongs to; a tool asks for `ctx` by annotating a parameter with its type.

    Raises:
        KeyError: When the tool runs outside of a chat.
    """
    turn: Turn = ctx.kwargs[TURN_KWARG]
    return turn
