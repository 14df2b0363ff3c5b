"""Construction and loading of a server written for ChatKit, and messages about unsupported features."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chatkit.server import ChatKitServer
from chatkit.store import AttachmentStore, Store
from chatkit.types import ThreadItemDoneEvent

from context import Services
from errors import ServerError
from process.doctor import examine
from process.use_case_loading import LoadedUseCases, load_use_cases
from stock_server import StockServer
from streaming.stock.construction import OVERRIDABLE
from tests.unit.harness import Chat, texts
from tests.unit.stock.samples import EchoServer, MemoryStore, build_message

Talk = Callable[..., Chat]


class WantingServer(EchoServer):
    def __init__(self, data_store: Any, attachment_store: Any = None, *, greeting: str) -> None:
        super().__init__(data_store, attachment_store)
        self.greeting = greeting


async def test_a_class_gets_the_stores_under_the_names_that_it_has_for_them(talk_to: Talk, services: Services) -> None:
    class Named(EchoServer):
        def __init__(self, data_store: Any, file_store: Any = None, history: int = 20) -> None:
            super().__init__(data_store, file_store)
            self.kept = data_store

    chat = talk_to(Named)
    stock: Any = chat.server
    assert stock.server.kept is stock.server.store
    assert stock.server.attachment_store is not None
    assert stock.notes == ()
    assert texts(await chat.send("Hello")) == ["Hello"]


async def test_a_class_that_wants_more_is_made_by_a_function(talk_to: Talk) -> None:
    with pytest.raises(ServerError, match=r"WantingServer wants greeting; say where that comes from: StockServer\(lam"):
        talk_to(WantingServer)
    chat = talk_to(lambda store, attachments: WantingServer(store, attachments, greeting="Hi"))
    assert texts(await chat.send("Hello")) == ["Hello"]


async def test_a_store_is_known_by_its_type_under_any_name(talk_to: Talk) -> None:
    class Typed(EchoServer):
        def __init__(self, threads: Store[Any], blobs: AttachmentStore[Any] | None = None) -> None:
            super().__init__(threads, blobs)

    assert texts(await talk_to(Typed).send("Hello")) == ["Hello"]


async def test_methods_of_a_custom_store_are_reported_with_the_remedy(
    talk_to: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    class Noting(EchoServer):
        def __init__(self, data_store: Any) -> None:
            super().__init__(data_store)
            self.data_store = data_store

        async def respond(self, thread: Any, message: Any, context: Any) -> Any:
            count = self.data_store.add_note("milk")
            yield ThreadItemDoneEvent(item=build_message(thread, "msg_1", f"{count} note"))

    await talk_to(Noting).send("Note it")
    assert "Parlor's store has no 'add_note'. If a store of your own has it, hand that over" in caplog.text
    chat = talk_to(lambda store, attachments: Noting(MemoryStore()))
    assert texts(await chat.send("Note it")) == ["1 note"]


async def test_an_object_that_stands_in_a_module_is_taken_with_its_store(talk_to: Talk) -> None:
    server = EchoServer(MemoryStore())
    chat = talk_to(server)
    assert texts(await chat.send("Hello")) == ["Hello"]
    stock: Any = chat.server
    assert stock.server is server
    assert len(stock.notes) == 1
    assert len(await chat.items()) == 2


@pytest.mark.parametrize("name", ["store", "nothing"])
async def test_a_custom_store_is_not_used_and_that_is_reported(talk_to: Talk, name: str) -> None:
    class Own(EchoServer):
        def __init__(self, store: Any = None) -> None:
            super().__init__(store or MemoryStore())

    chat = talk_to(Own if name == "store" else lambda store, attachments: Own())
    stock: Any = chat.server
    await chat.send("Hello")
    expected = () if name == "store" else ("its own MemoryStore holds nothing here: conversations are in Parlor's",)
    assert stock.notes == expected
    assert len(await chat.items()) == 2


async def test_a_store_with_slots_is_ours_too(talk_to: Talk) -> None:
    class Slotted(MemoryStore):
        __slots__ = ("more",)

    chat = talk_to(lambda store, attachments: EchoServer(Slotted()))
    await chat.send("Hello")
    stock: Any = chat.server
    assert len(stock.notes) == 1
    assert len(await chat.items()) == 2


async def test_files_of_its_own_are_ours_too(talk_to: Talk) -> None:
    class Files(AttachmentStore[Any]):
        async def delete_attachment(self, attachment_id: str, context: Any) -> None:
            raise AssertionError

        def bucket(self) -> str:
            return "mine"

    chat = talk_to(lambda store, attachments: EchoServer(store, Files()))
    stock: Any = chat.server
    assert stock.notes == ("its own Files holds nothing here: files are in Parlor's",)
    assert stock.server.attachment_store.bucket() == "mine"
    with pytest.raises(Exception, match="Files cannot be attached here"):
        await chat.request("attachments.create", name="a.png", size=3, mime_type="image/png")


def own(**methods: Any) -> type[Any]:
    return type("Odd", (EchoServer,), methods)


async def coroutine(*_: Any) -> None: ...


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (own(process=coroutine), "Odd overrides process, which the platform does itself"),
        (own(_build_user_message_item=coroutine, _process_events=coroutine), "_build_user_message_item, _process_ev"),
        (lambda store, attachments: own(process=coroutine)(store), "Odd overrides process"),
        (own(respond=coroutine), "Odd.respond has no 'yield': it must be an async generator"),
        (own(respond=lambda self, *_: (yield)), "Odd.respond is not 'async def'"),
        (own(get_stream_options=coroutine), "Odd.get_stream_options is 'async def'"),
        (own(__init__=lambda self: 1 / 0), r"Odd\(\) raised ZeroDivisionError: division by zero"),
        (type("Odd", (ChatKitServer,), {}), "Odd does not define respond"),
        (MemoryStore, "MemoryStore is no subclass of chatkit.server.ChatKitServer"),
        (7, "this is a int"),
        (lambda store, attachments: None, "returned a NoneType"),
        (lambda store, attachments: coroutine(), "returned a coroutine"),
        (lambda: None, r"raised TypeError: .*takes 0 positional"),
    ],
)
def test_an_unsupported_server_is_refused_with_a_reason(services: Services, make: Any, reason: str) -> None:
    with pytest.raises(ServerError, match=reason):
        StockServer(make).bind(services)


def test_names_of_its_own_are_free_but_for_those_of_chatkit() -> None:
    assert {"respond", "action", "sync_action", "add_feedback", "transcribe"} <= OVERRIDABLE
    assert {*OVERRIDABLE} <= set(vars(ChatKitServer))


def name_in(folder: Path) -> str:
    return re.sub(r"\W", "_", folder.name)


def loaded(folder: Path, services: Services, code: str) -> LoadedUseCases:
    # Imported as a module of the package of use cases, whose names are taken once in a process.
    name = name_in(folder)
    place = folder / "more" / name
    place.mkdir(parents=True)
    head = "from plugins import UseCase, hookimpl\nfrom stock_server import StockServer\n"
    place.joinpath("plugin.py").write_text((head + code).replace("'desk'", f"'{name}'"), "utf-8")
    return load_use_cases(services, [folder / "more"])


HOOK = "\n@hookimpl\ndef register_use_case():\n    return UseCase(name='desk', title='Desk', server={})\n"


async def test_a_folder_with_a_server_is_a_use_case(tmp_path: Path, services: Services) -> None:
    code = "from tests.unit.stock.samples import EchoServer\n" + HOOK.format("StockServer(EchoServer)")
    found = loaded(tmp_path, services, code)
    server: Any = found.enabled[name_in(tmp_path)].server
    assert texts(await Chat(server, use_case="desk").send("Hello")) == ["Hello"]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ("EchoServer(None)", "a server written for ChatKit goes into StockServer(…)"),
        ("StockServer(type('Odd', (EchoServer,), {'process': None}))", "Odd overrides process"),
        ("StockServer(lambda s, a: EchoServer)", "returned the class EchoServer"),
    ],
)
async def test_a_folder_with_a_server_that_cannot_be_taken_is_disabled_with_the_reason(
    tmp_path: Path, services: Services, made: str, reason: str
) -> None:
    found = loaded(tmp_path, services, "from tests.unit.stock.samples import EchoServer\n" + HOOK.format(made))
    [disabled] = [each for each in found.disabled if each.name == name_in(tmp_path)]
    assert reason in disabled.reason
    assert name_in(tmp_path) not in found.enabled


async def test_the_doctor_says_what_a_server_does_not_have(tmp_path: Path, services: Services) -> None:
    loaded(
        tmp_path, services, "from tests.unit.stock.samples import DeskServer\n" + HOOK.format("StockServer(DeskServer)")
    )
    settings = services.settings.model_copy(update={"use_cases_path": [tmp_path / "more"]})
    findings = await examine(replace(services, settings=settings), tmp_path)
    note = f"{name_in(tmp_path)}: its own MemoryStore holds nothing here: conversations are in Parlor's"
    assert [(f.is_well, f.is_warning, f.subject) for f in findings if f.state == note] == [(True, True, "server")]
