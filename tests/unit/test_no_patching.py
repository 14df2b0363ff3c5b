"""No test patches our own code, as it would hold while the code is wrong; nor does a source that a test lets run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

from base_server import BaseChatKitServer
from tests.unit.test_architecture import ROOMS, ROOT, sources

PATCHING = ("setattr", "delattr", "setitem", "delitem", "__setattr__", "__delattr__", "patch", "patch.object")
"""Functions of `monkeypatch`, of `mock.patch` and of Python that change their first argument, or the thing it names."""

ENDINGS = tuple(f".{each}" for each in PATCHING)

CHANGING = ("add", "append", "clear", "discard", "extend", "insert", "pop", "remove", "setdefault", "update")
"""Methods that change the collection that they are called of."""

_CALLED = "|".join(PATCHING).replace(".", r"\.")
_PRIVATE_CHANGED = rf"\._\w+(?:\.(?:{'|'.join(CHANGING)})\(|\[.*\] [-+|]?= )"
_ASSIGNED = r"^ *(?!(?:self|cls)\.\w+ =)[\w.()\[\], ]+\.\w+(?:, [\w.]+)* [-+|]?= "
PERHAPS_PATCHING = re.compile(rf"\b(?:{_CALLED})\(|{_PRIVATE_CHANGED}|^ *del .*\.|{_ASSIGNED}", re.MULTILINE)
"""Lines that may patch something: a text without one need not be parsed, as to parse all tests takes seconds."""

PRIVATE = re.compile(r"\._[^\W_]")

OWNERS = {
    "self": "a class of the test's own",
    "cls": "a class of the test's own",
    "ctx": "the `ctx` of an author's tool, whose context is of the author's own class",
}
"""Names of objects whose private attributes may be set."""

UNNAMED = {
    "api": "an API of OpenTelemetry",
    "self": "a class of the test's own",
    "server": "a server of an author, which refuses it",
    "update": "an update of Agent Framework",
}
"""Names of objects of which an attribute may be set that the call does not name."""

OTHERS_METHODS = {
    "answer": "an attribute of servers in tests",
    "call_tool": "a method of the SDK's servers of tools",
    "make": "an attribute of servers in tests",
    "stream_events": "a method of the SDK's results",
}
"""Methods that other classes have too, and tests replace there."""


def imported_names(module: ast.Module) -> dict[str, str]:
    """Return where the names of a test module were imported from."""
    origin: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            origin |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            tops = {each.name.partition(".")[0]: each.name.partition(".")[0] for each in node.names if not each.asname}
            origin |= tops | {each.asname: each.name for each in node.names if each.asname}
    return origin


@cache
def is_method_of_ours(name: str) -> bool:
    """Return whether one of our classes has a method of this name."""
    method = re.compile(rf"^    (?:async )?def {name}\(", re.MULTILINE)
    return any(method.search(path.read_text()) for path in sources())


def is_hook(target: str, name: str) -> bool:
    """Return whether a server is given a hook of its own, as an author may."""
    return target.endswith("server") and name in vars(BaseChatKitServer)


@dataclass(frozen=True)
class Change:
    """A change of an attribute.

    Attributes:
        target: The object whose attribute is changed.
        name: The name of the attribute; None where it is not written there.
        value: The new value; None where the attribute is deleted.
    """

    target: ast.expr
    name: str | None
    value: ast.expr | None


def is_private(node: ast.expr) -> bool:
    """Return whether an expression is a private attribute."""
    return isinstance(node, ast.Attribute) and PRIVATE.match(f".{node.attr}") is not None


def changes(node: ast.AST) -> Iterator[Change | str]:
    """Return the changes of attributes that a statement or call makes; those by a text are the text."""
    match node:
        case ast.Call(func=func, args=[target, *others]) if f".{ast.unparse(func)}".endswith(ENDINGS):
            if isinstance(target, ast.Constant):
                yield str(target.value)
            else:
                name = others[0].value if others and isinstance(others[0], ast.Constant) else None
                yield Change(target, name if isinstance(name, str) else None, others[1] if others[1:] else None)
        case ast.Call(func=ast.Attribute(value=ast.Attribute() as holder, attr=verb)) if verb in CHANGING:
            if is_private(holder):
                yield Change(holder.value, holder.attr, None)
        case ast.Assign(targets=targets, value=value):
            flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
            flat = [each.value if isinstance(each, ast.Subscript) and is_private(each.value) else each for each in flat]
            yield from (Change(each.value, each.attr, value) for each in flat if isinstance(each, ast.Attribute))
        case ast.AugAssign(target=ast.Attribute() as target) | ast.AnnAssign(target=ast.Attribute() as target):
            yield Change(target.value, target.attr, node.value)
        case ast.Delete(targets=targets):
            yield from (Change(each.value, each.attr, None) for each in targets if isinstance(each, ast.Attribute))


def patches(module: ast.Module) -> Iterator[str]:
    """Return the places of our own code that a test module patches, or a source within a text of it.

    These are attributes of everything imported from our rooms, private attributes of objects, attributes of objects
    that the call does not name, and methods of ours that are replaced by a function.
    """
    origin = imported_names(module)
    functions = {node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    classes = {node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(module):
        for change in changes(node):
            if isinstance(change, str):
                if re.match(r"\w+\.\w", change) and change.partition(".")[0] in ROOMS:
                    yield change
                continue
            target = ast.unparse(change.target)
            root = re.split(r"\W", target)[0]
            place = f"{origin.get(root, root)}{target[len(root) :]}.{change.name or '?'}"
            is_function = isinstance(change.value, ast.Lambda) or getattr(change.value, "id", None) in functions
            if root in origin and "(" not in target:  # a function's result is an object like any other
                is_ours = place.partition(".")[0] in ROOMS
            elif root in classes:
                is_ours = False
            elif change.name is None:
                is_ours = root not in UNNAMED
            elif PRIVATE.search(place):
                is_ours = root not in OWNERS
            else:
                is_replaced = is_function and not is_hook(target, change.name)
                is_ours = is_replaced and change.name not in OTHERS_METHODS and is_method_of_ours(change.name)
            if is_ours:
                yield place
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value:
            yield from patches_in_text(node.value)


def patches_in_text(text: str) -> Iterator[str]:
    """Return what `patches` finds in a text, if it is a source that another process may run."""
    if PERHAPS_PATCHING.search(text):
        with suppress(SyntaxError):
            yield from patches(ast.parse(dedent(text)))


def test_no_test_patches_our_own_code() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {place}"
        for path in ROOT.glob("tests/**/*.py")
        if path != Path(__file__) and PERHAPS_PATCHING.search(path.read_text())
        for place in patches(ast.parse(path.read_text()))
    }
    assert found == set()


@pytest.mark.parametrize(
    "source",
    [
        'def test(monkeypatch): monkeypatch.setattr("runs.run.asyncio.sleep", None)',
        'from runs.run import Run as R\ndef test(m): m.setattr(R, "stop", None)',
        'import runs.run\ndef test(monkeypatch): monkeypatch.setattr(runs.run, "Run", None)',
        'from runs import run\ndef test(monkeypatch): monkeypatch.setattr(run.Run, "stop", None)',
        "from runs.run import Run\ndef test(): Run.stop = None",
        "import runs.run\ndef test(): runs.run.LIMIT, other = 1, 2",
        "import runs.run as module\ndef test(): module.LIMIT += 1",
        "from runs import run\ndef test(): del run.Run.stop",
        "from runs.run import Run\ndef test(): setattr(Run, name, None)",
        'from runs.run import Run\ndef test(): object.__setattr__(Run.one, "stop", None)',
        'from runs.run import Run\ndef test(): mock.patch.object(Run, "stop")',
        '@patch("runs.run.Run.stop")\ndef test(stop): pass',
        "def test(desk):\n    for part in (desk, desk.files): setattr(part, name, objects)",
        'def test(desk): setattr(desk, "_files", None)',
        "def test(desk): desk._files.life = 1",
        "def test(two): two.other._marks = set()",
        "def test(two): two.other._marks.add(1)",
        "def test(two): two._marks[1] = 2",
        "def register(services):\n    async def dying(work): ...\n    services.database.run_write = dying",
        "def test(database): database.run_write = lambda work: None",
        'def test(database, m): m.setattr(database, "run_write", lambda work: None)',
        'PLUGIN = """\n    from runs.run import Run\n    Run.stop = None\n"""',
    ],
)
def test_a_patch_of_our_own_code_is_noticed(source: str) -> None:
    assert len(list(patches(ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'import asyncio\ndef test(monkeypatch): monkeypatch.setattr(asyncio, "sleep", None)',
        "def test(chat): chat.thread_id = None",
        "class Own:\n    def __init__(self): self._name = 1\nOwn.run_write = lambda: None",
        'def test(page): page.patch("/runs", json={})',
        'TEXT = """\nruns.run = of a sentence\n"""',
    ],
)
def test_a_change_of_the_tests_own_objects_is_no_patch(source: str) -> None:
    assert list(patches(ast.parse(source))) == []
