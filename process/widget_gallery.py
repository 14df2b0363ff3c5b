"""The widgets of all components and use cases, with their mistakes: for `parlor widgets` and `/dev/widgets`.

A use case says which it has with `UseCase.sample_widgets`. Where it says nothing, its templates are shown with the
preview that they bring along, and its functions `build_…` with values made up from their annotations.
"""

from __future__ import annotations

import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any

from pydantic import BaseModel

from base_server import BaseChatKitServer
from errors import WidgetError
from plugins import UseCase
from stock_server import StockServer
from streaming.actions.declared_actions import collect_actions
from text.visible import one_visible_line
from widgets.documents import Widget, widget_root
from widgets.findings import Finding
from widgets.samples import load_samples
from widgets.templates import WidgetTemplates
from widgets.validation import validate_widget

MAX_EXHIBITS = 200
"""How many widgets of one use case are shown at most."""

MAX_NOTE_CHARS = 300

_VALUES: Mapping[Any, Any] = {
    str: "Some words",
    int: 3,
    float: 1.5,
    bool: True,
    date: date(2026, 5, 4),
    datetime: datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
}


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A widget to look at.

    Attributes:
        name: The component, the template or the function, or the name that the use case gives.
        widget: The JSON of the widget; None where it could not be made.
        note: A sentence about where it comes from, or why there is none.
        findings: The mistakes in it.
    """

    name: str
    widget: Any
    note: str = ""
    findings: tuple[Finding, ...] = field(default=())

    @property
    def is_well(self) -> bool:
        """Whether there is a widget, and nothing is wrong with it."""
        return self.widget is not None and not self.findings

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        return {
            "name": self.name,
            "widget": self.widget,
            "note": self.note,
            "findings": findings_as_json(self.findings),
        }


def findings_as_json(findings: typing.Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as the page shows them."""
    return [
        {"path": each.path, "message": each.message, "kind": each.kind, "severity": each.severity} for each in findings
    ]


@dataclass(frozen=True, slots=True)
class Group:
    """The components, or the widgets of one use case.

    Attributes:
        name: The name of the use case; None for the components.
        title: The name for people.
        widgets: What there is to look at.
    """

    name: str | None
    title: str
    widgets: list[Exhibit]

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        return {"name": self.name, "title": self.title, "widgets": [each.as_json() for each in self.widgets]}


def gallery_of(use_cases: Mapping[str, UseCase]) -> list[Group]:
    """Return the components, and the widgets of these use cases."""
    groups = [Group(None, "Components", component_exhibits())]
    return groups + [Group(name, each.title, use_case_exhibits(each)) for name, each in use_cases.items()]


def gallery_lines(groups: list[Group]) -> list[str]:
    """Return a line for each widget, below it one for each mistake, and a last one that counts."""
    lines: list[str] = []
    for group in groups:
        lines.append(f"{one_visible_line(group.title)}{'' if group.name is None else f' ({group.name})'}")
        lines += [line for each in group.widgets for line in _lines_of(each)]
        if not group.widgets:
            lines.append("  no widgets; UseCase(sample_widgets=…) says which there are")
    widgets = [each for group in groups for each in group.widgets]
    faulty = sum(not each.is_well for each in widgets)
    lines.append(f"{len(widgets)} widgets, {f'{faulty} of them with mistakes' if faulty else 'all is well'}")
    return lines


def _lines_of(exhibit: Exhibit) -> list[str]:
    state = "ok" if exhibit.is_well else "no widget" if exhibit.widget is None else f"{len(exhibit.findings)} wrong"
    told = [exhibit.note] if exhibit.note else []
    # What an author has named or raised may hold anything, and a terminal obeys some of it.
    shown = map(one_visible_line, (*told, *map(str, exhibit.findings)))
    return [f"  {state:<10}{one_visible_line(exhibit.name)}", *(f"{'':12}{line}" for line in shown)]


def component_exhibits() -> list[Exhibit]:
    """Return a sample of each component, in the order of the catalogue."""
    return [_exhibit(name, widget) for name, widget in load_samples().items()]


def use_case_exhibits(use_case: UseCase) -> list[Exhibit]:
    """Return the widgets of a use case; what fails to make one is an exhibit that says so."""
    actions = action_names(use_case)
    found: list[Exhibit] = []
    for name, make in _makers(use_case):
        if len(found) == MAX_EXHIBITS:
            break
        found.append(_made(name, make, actions))
    return found


def widget_findings(widget: Any, actions: list[str] | None) -> list[Finding]:
    """Return the mistakes of what somebody has written in the place of a widget."""
    return validate_widget(widget, actions=actions)


def action_names(use_case: UseCase) -> list[str] | None:
    """Return the names of the declared actions; None where the use case may know others."""
    server = use_case.server
    if not isinstance(server, BaseChatKitServer) or type(server).action is not BaseChatKitServer.action:
        return None
    return list(collect_actions(type(server)))


class _NoWidgetError(Exception):
    """A function that cannot be called here, with the reason as its text."""


def _makers(use_case: UseCase) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the names of widgets with what makes each."""
    if use_case.sample_widgets is not None:
        try:
            declared = dict(use_case.sample_widgets())
        except (Exception, SystemExit) as exc:  # noqa: BLE001 - an author's function may raise anything
            yield "sample_widgets", partial(_fail, f"sample_widgets failed: {type(exc).__name__}: {exc}")
            declared = {}
        for name, widget in declared.items():
            yield str(name), partial(_given, widget)
    module = _module_of(use_case)
    if module is None or not module.__file__:
        return
    folder = Path(module.__file__).parent
    for path in sorted(folder.glob("*.widget")):
        yield path.name, partial(_preview, path)
    if use_case.sample_widgets is None:
        for function in _builders(module):
            yield function.__name__, partial(_called, function)


def _made(name: str, make: Callable[[], Any], actions: list[str] | None) -> Exhibit:
    try:
        widget = make()
    except _NoWidgetError as exc:
        return Exhibit(name, None, str(exc)[:MAX_NOTE_CHARS])
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - an author's function may raise anything
        return Exhibit(name, None, f"{type(exc).__name__}: {exc}"[:MAX_NOTE_CHARS])
    return _exhibit(name, widget, actions)


def _exhibit(name: str, widget: Widget, actions: list[str] | None = None) -> Exhibit:
    findings = tuple(validate_widget(widget, actions=actions))
    try:
        shown = widget_root(widget).model_dump(mode="json", exclude_none=True)
    except ValueError as exc:
        return Exhibit(name, None, "" if findings else str(exc)[:MAX_NOTE_CHARS], findings)
    return Exhibit(name, shown, findings=findings)


def _given(widget: Any) -> Any:
    return widget


def _fail(reason: str) -> Any:
    raise _NoWidgetError(reason)


def _module_of(use_case: UseCase) -> ModuleType | None:
    server = use_case.server.server if isinstance(use_case.server, StockServer) else use_case.server
    return None if server is None else sys.modules.get(type(server).__module__)


def _builders(module: ModuleType) -> list[Callable[..., Any]]:
    """Return the functions that build widgets: those called ``build_…`` in `module`, and in `widgets` beside it."""
    package = module.__name__.rpartition(".")[0]
    beside = sys.modules.get(f"{package}.widgets") if package else None
    found: dict[str, Callable[..., Any]] = {}
    for each in (module, beside):
        for name, function in inspect.getmembers(each, inspect.isfunction) if each else ():
            is_own = each is not None and function.__module__ == each.__name__
            if is_own and name.startswith("build_") and _may_return_widget(function):
                found.setdefault(name, function)
    return list(found.values())


def _may_return_widget(function: Callable[..., Any]) -> bool:
    """Whether what a function says of its result leaves room for a widget."""
    result = _hints(function).get("return", dict)
    made = typing.get_origin(result) or result
    return made in (dict, Mapping, Any, object) or (isinstance(made, type) and issubclass(made, BaseModel | Mapping))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - annotations may name what is imported for types only
        return {}


def _called(function: Callable[..., Any]) -> Any:
    """Return what a function builds of made-up values."""
    hints = _hints(function)
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is not parameter.empty or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        given[name] = _value_for(name, hints.get(name), function.__name__)
    positional = [
        given.pop(name)
        for name, parameter in inspect.signature(function).parameters.items()
        if name in given and parameter.kind is parameter.POSITIONAL_ONLY
    ]
    return function(*positional, **given)


def _value_for(name: str, hint: Any, function: str) -> Any:
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)[0]
    if typing.get_origin(hint) in (typing.Union, UnionType):
        choices = [each for each in typing.get_args(hint) if each is not NoneType]
        hint = choices[0] if choices else hint
    if typing.get_origin(hint) is list and typing.get_args(hint)[0] in _VALUES:
        return [_VALUES[typing.get_args(hint)[0]]] * 3
    if isinstance(hint, type) and hint in _VALUES:
        return _VALUES[hint]
    raise _NoWidgetError(
        f"{function} needs a value for '{name}' that cannot be made up; return a sample from sample_widgets"
    )


def _preview(path: Path) -> Any:
    """Return the widget that a template's file shows as its preview, or what it builds of no data."""
    preview = None
    try:
        preview = json.loads(path.read_text(encoding="utf-8")).get("outputJsonPreview")
        preview = json.loads(preview) if isinstance(preview, str) else preview
    except (OSError, ValueError, AttributeError):
        pass  # the template itself says below what is wrong with the file
    if preview is not None:
        return preview
    try:
        return WidgetTemplates(path.parent).build(path.stem)
    except WidgetError as exc:
        raise _NoWidgetError(f"{path.name} has no preview, and cannot be built without data: {exc}") from exc
