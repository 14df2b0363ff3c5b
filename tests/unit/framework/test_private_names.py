"""Private names: outside of `framework/`, the product asks libraries for what they promise, by the names they give it.

What is refused here belongs into `framework/`, with a test in `test_reliances.py`, if there is no public way.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator

import pytest

from tests.unit.test_architecture import ROOT, modules

PUBLIC_UNDERSCORES = {
    "_asdict": "documented by `collections.namedtuple`",
    "_exit": "documented by `os`",
    "_mapping": "documented by SQLAlchemy, for `Row`",
    "_replace": "documented by `collections.namedtuple`",
}
"""Names that their library documents, although they begin like private ones."""

PLACES = {
    ("agents_sdk/agent_copies.py", "copy.copy(agent)"): "a dataclass; the author's own object stays as it is",
    ("agents_sdk/agent_copies.py", "copy.copy(guardrail)"): "a dataclass; the author's own object stays as it is",
    ("agents_sdk/agent_copies.py", "copy.copy(handoff)"): "a dataclass; the author's own object stays as it is",
    ("agents_sdk/agent_copies.py", "copy.copy(tool)"): "a dataclass; the author's own object stays as it is",
    ("agents_sdk/guarded_tools.py", "copy.copy(tool)"): "a dataclass; the author's own object stays as it is",
    ("chat_clients/protocols/history_shape.py", "copy.copy(call.result)"): "the copy has another id and nothing else",
    ("agents_sdk/workflows/workflow_module.py", "getattr(loaded, '__dict__', {})"): "names that a module has already",
    ("base_server.py", "vars(self)"): "our own state, under a key that is no name",
    ("base_server.py", "vars(server)"): "our own state, under a key that is no name",
    ("streaming/actions/declared_actions.py", "vars(base)"): "our own classes, and authors' subclasses",
    ("streaming/author_classes.py", "vars(base)"): "our own classes, and authors' subclasses",
    ("base_server.py", "vars(kind)"): "our own class, and the public names of ChatKit's server",
    ("infra/widget_catalogue.py", "vars(chatkit.widgets)"): "the workshop lists the public classes of a module",
    ("process/log_lines.py", "vars(logging.makeLogRecord({}))"): "records hold what `extra` gives as attributes",
    ("process/log_lines.py", "vars(record)"): "records hold what `extra` gives as attributes",
    ("streaming/requests/item_guard.py", "self._known.__dict__"): "measured; pinned in `test_reliances.py`",
    ("streaming/requests/item_guard.py", "self._thread.__dict__"): "measured; pinned in `test_reliances.py`",
    ("storage/baseline.py", "thread.__dict__"): "`model_copy` documents that it copies it; pinned there too",
    ("widgets/documents.py", "model_construct"): "documented by Pydantic; pinned there too",
    ("widgets/widget_stream.py", "model_construct"): "documented by Pydantic; pinned by tests of streamed widgets",
}
"""Places outside of `framework/` that reach something in another way than by a public name, and why they may."""

PRIVATE = re.compile(r"_(?!_)\w+|__pydantic_\w+__|__dict__")


def ways_around(tree: ast.Module, own: set[str]) -> Iterator[tuple[int, str]]:
    """Return the line and the text of all that is not asked for by a public name.

    Args:
        tree: A file of ours.
        own: The private names that the product itself defines; of itself an object may ask for those.
    """
    here = defined_in(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute | ast.Call | ast.Import | ast.ImportFrom):
            continue
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if PRIVATE.fullmatch(name):
                if name not in own:
                    yield node.lineno, ast.unparse(node)
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name) if PRIVATE.fullmatch(name):
                if name not in own:
                    yield node.lineno, ast.unparse(node)
            case ast.Attribute(attr=name) if PRIVATE.fullmatch(name) and name not in here | PUBLIC_UNDERSCORES.keys():
                yield node.lineno, ast.unparse(node)
            case ast.Call(func=ast.Name(id="getattr" | "setattr" | "hasattr"), args=[_, ast.Constant(str(name)), *_]):
                if PRIVATE.fullmatch(name):
                    yield node.lineno, ast.unparse(node)
            case ast.Call(func=ast.Name(id="vars")):
                yield node.lineno, ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr="__new__" | "model_construct" as name)):
                yield node.lineno, name
            case ast.Call(func=ast.Attribute(value=ast.Name(id="copy"), attr="copy" | "deepcopy")):
                yield node.lineno, ast.unparse(node)
            case ast.Call(func=ast.Name(id="attrgetter" | "methodcaller"), args=[ast.Constant(str(name)), *_]):
                if any(PRIVATE.fullmatch(part) for part in name.split(".")):
                    yield node.lineno, ast.unparse(node)
            case ast.Import(names=names) if any(re.search(r"(^|\.)_(?!_)", each.name) for each in names):
                yield node.lineno, ast.unparse(node)
            case ast.ImportFrom(module=str(module), names=names):
                is_private = re.search(r"(^|\.)_(?!_)", module) or any(re.match("_(?!_)", each.name) for each in names)
                if is_private:
                    yield node.lineno, ast.unparse(node)
            case _:
                pass


def defined_in(tree: ast.Module) -> set[str]:
    """Return the names that a file gives to functions, classes, variables and attributes of its own objects."""
    names = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                names.add(name)
            case _:
                pass
    return names


def test_nothing_outside_of_the_room_reaches_for_what_is_private() -> None:
    trees = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in modules().values()}
    own = set[str]().union(*map(defined_in, trees.values()))
    found = {
        (file, what): line
        for file, tree in trees.items()
        if not file.startswith("framework/")
        for line, what in ways_around(tree, own)
    }
    hidden = [f"{file}:{line}: {what}" for (file, what), line in found.items() if (file, what) not in PLACES]
    assert hidden == [], "take a public way, or put it into framework/ with a test in test_reliances.py"


@pytest.mark.parametrize(
    "source",
    [
        "stream._updates = []",
        "print(client._cached)",
        "getattr(stream, '_inner_stream', None)",
        "vars(stream).clear()",
        "model.__pydantic_extra__",
        "Content.__new__(Content)",
        "copy.copy(agent)",
        "class A(B):\n    def f(self):\n        return self._theirs()",
        "from agent_framework._types import Content",
        "from chatkit.server import _private",
        "import agent_framework._types as types",
        "attrgetter('stream._updates')(response)",
    ],
)
def test_uses_of_private_names_are_noticed(source: str) -> None:
    assert list(ways_around(ast.parse(source), set()))


def test_own_and_public_names_pass() -> None:
    source = (
        "class A:\n    def _own(self):\n        return self._own()\nos._exit(1); a._own; stream.updates; x.__name__"
    )
    assert list(ways_around(ast.parse(source), {"_own"})) == []


def foreign_bases() -> Iterator[tuple[str, type, type]]:
    """Return each class of ours with each of its bases that a library brings, and the module that it stands in."""
    for name in modules():
        for kind in vars(importlib.import_module(name)).values():
            if inspect.isclass(kind) and kind.__module__ == name:
                for base in kind.__mro__[1:]:
                    if base.__module__ not in modules() and base.__module__ not in ("abc", "builtins", "typing"):
                        yield name, kind, base


def test_no_class_of_ours_overrides_a_private_name_of_a_library() -> None:
    # On purpose it belongs into framework/. By chance it is worse: the library would call ours, or we overwrite its.
    taken = set()
    sources: dict[type, str] = {}
    for name, kind, base in foreign_bases():
        theirs = set(vars(base))
        if "__init__" in vars(base) and inspect.isfunction(base.__init__):
            sources.setdefault(base, inspect.getsource(base.__init__))
            theirs |= set(re.findall(r"self\.(_\w+)", sources[base]))
        ours = set(vars(kind))
        if "__init__" in vars(kind):
            ours |= set(re.findall(r"self\.(_\w+)\b.* = ", inspect.getsource(kind.__init__)))
        taken |= {(name, each) for each in ours & theirs if re.match("_(?!_)", each)} - {(name, "_abc_impl")}
    assert taken == {
        ("chat_clients.model_client", "_inner_get_response"),
        ("chat_clients.offline.model", "_inner_get_response"),
        ("framework.agent_stand_in", "_inner_get_response"),
        ("framework.text_updates", "_operation_state"),  # its classes take every field of the framework's
    }
