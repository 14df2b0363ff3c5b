"""Gallery of all components and of the widgets of all use cases, validated; for `parlor widgets` and `/dev/widgets`.

A use case lists its widgets in `UseCase.sample_widgets`. Templates in its folder are shown with the preview that they
contain. Without a list, its `build_…` functions are called with sample values for their annotations.
"""

from __future__ import annotations

import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
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
"""Largest number of widgets of one use case."""

MAX_NOTE_CHARS = 300

_SAMPLE_VALUES: Mapping[Any, Any] = {
    str: "Some words",
    int: 3,
    float: 1.5,
    bool: True,
    date: date(2026, 5, 4),
    datetime: datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
}


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A widget of the gallery.

    Attributes:
        name: The name of the component, template or function, or the key in `sample_widgets`.
        widget: The JSON of the widget; None when it could not be built.
        note: The reason why the widget could not be built, unless the findings contain it.
        findings: The mistakes in the widget.
    """

    name: str
    widget: Any
    note: str = ""
    findings: tuple[Finding, ...] = field(default=())

    @property
    def is_well(self) -> bool:
        """Whether the widget could be built and has no mistakes."""
        return self.widget is not None and not self.findings

    def as_json(self) -> dict[str, Any]:
        """Return the widget as the gallery's page reads it."""
        return {
            "name": self.name,
            "widget": self.widget,
            "note": self.note,
            "findings": findings_as_json(self.findings),
        }


def findings_as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as the gallery's page reads them."""
    return [
        {"path": each.path, "message": each.message, "kind": each.kind, "severity": each.severity} for each in findings
    ]


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the gallery: the samples of all components, or the widgets of one use case.

    Attributes:
        name: The name of the use case; None for the components.
        title: The heading for people.
        widgets: The widgets, in the order in which they are shown.
    """

    name: str | None
    title: str
    widgets: list[Exhibit]

    def as_json(self) -> dict[str, Any]:
        """Return the group as the gallery's page reads it."""
        return {"name": self.name, "title": self.title, "widgets": [each.as_json() for each in self.widgets]}


def build_gallery(use_cases: Mapping[str, UseCase]) -> list[Group]:
    """Return the samples of all components, then the widgets of each use case."""
    groups = [Group(None, "Components", component_exhibits())]
    return groups + [Group(name, each.title, use_case_exhibits(each)) for name, each in use_cases.items()]


def gallery_lines(groups: list[Group]) -> list[str]:
    """Return the gallery as text: a line per widget, followed by its mistakes, and a last line with the totals."""
    lines: list[str] = []
    for group in groups:
        lines.append(f"{one_visible_line(group.title)}{'' if group.name is None else f' ({group.name})'}")
        lines += [line for each in group.widgets for line in _exhibit_lines(each)]
        if not group.widgets:
            lines.append("  no widgets; UseCase(sample_widgets=…) says which there are")
    widgets = [each for group in groups for each in group.widgets]
    faulty = sum(not each.is_well for each in widgets)
    lines.append(f"{len(widgets)} widgets, {f'{faulty} of them with mistakes' if faulty else 'all is well'}")
    return lines


def _exhibit_lines(exhibit: Exhibit) -> list[str]:
    if exhibit.widget is None:
        state = "no widget"
    elif exhibit.findings:
        state = f"{len(exhibit.findings)} wrong"
    else:
        state = "ok"
    details = [exhibit.note] if exhibit.note else []
    details += map(str, exhibit.findings)
    # Names and errors of an author may contain control characters, which a terminal would execute.
    return [
        f"  {state:<10}{one_visible_line(exhibit.name)}",
        *(f"{'':12}{one_visible_line(detail)}" for detail in details),
    ]


def component_exhibits() -> list[Exhibit]:
    """Return an exhibit of each component, in the order of the catalogue."""
    return [_check_widget(name, widget) for name, widget in load_samples().items()]


def use_case_exhibits(use_case: UseCase) -> list[Exhibit]:
    """Return an exhibit of each widget of a use case; one that cannot be built has a note with the reason."""
    actions = action_names(use_case)
    sources = islice(_widget_sources(use_case), MAX_EXHIBITS)
    return [_build_exhibit(name, make, actions) for name, make in sources]


def widget_findings(widget: Any, actions: list[str] | None) -> list[Finding]:
    """Return the mistakes of a widget that is still being written, which may be any JSON.

    Args:
        widget: The JSON.
        actions: The names of the use case's actions; None to accept all.
    """
    return validate_widget(widget, actions=actions)


def action_names(use_case: UseCase) -> list[str] | None:
    """Return the names of the declared actions; None when the use case may handle others too."""
    server = use_case.server
    if not isinstance(server, BaseChatKitServer) or type(server).action is not BaseChatKitServer.action:
        return None
    return list(collect_actions(type(server)))


class _NoWidgetError(Exception):
    """A widget cannot be built for the gallery; the text is the reason."""


def _widget_sources(use_case: UseCase) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the name of each widget, and a function that builds it."""
    if use_case.sample_widgets is not None:
        yield from _sample_sources(use_case.sample_widgets)
    module = _find_module(use_case)
    if module is None or not module.__file__:
        return
    folder = Path(module.__file__).parent
    for path in sorted(folder.glob("*.widget")):
        yield path.name, partial(_load_preview, path)
    if use_case.sample_widgets is None:
        for function in _find_builders(module):
            yield function.__name__, partial(_call_with_samples, function)


def _sample_sources(sample_widgets: Callable[[], Mapping[str, Any]]) -> Iterator[tuple[str, Callable[[], Any]]]:
    try:
        samples = dict(sample_widgets())
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - an author's function may raise anything
        yield "sample_widgets", partial(_raise_no_widget, f"sample_widgets failed: {type(exc).__name__}: {exc}")
        return
    for name, widget in samples.items():
        yield str(name), partial(_return_widget, widget)


def _build_exhibit(name: str, make: Callable[[], Any], actions: list[str] | None) -> Exhibit:
    try:
        widget = make()
    except _NoWidgetError as exc:
        return Exhibit(name, None, str(exc)[:MAX_NOTE_CHARS])
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - an author's function may raise anything
        return Exhibit(name, None, f"{type(exc).__name__}: {exc}"[:MAX_NOTE_CHARS])
    return _check_widget(name, widget, actions)


def _check_widget(name: str, widget: Widget, actions: list[str] | None = None) -> Exhibit:
    findings = tuple(validate_widget(widget, actions=actions))
    try:
        document = widget_root(widget).model_dump(mode="json", exclude_none=True)
    except ValueError as exc:
        return Exhibit(name, None, "" if findings else str(exc)[:MAX_NOTE_CHARS], findings)
    return Exhibit(name, document, findings=findings)


def _return_widget(widget: Any) -> Any:
    return widget


def _raise_no_widget(reason: str) -> Any:
    raise _NoWidgetError(reason)


def _find_module(use_case: UseCase) -> ModuleType | None:
    server = use_case.server.server if isinstance(use_case.server, StockServer) else use_case.server
    return None if server is None else sys.modules.get(type(server).__module__)


def _find_builders(module: ModuleType) -> list[Callable[..., Any]]:
    """Return the widget builders: the functions ``build_…`` of `module`, and of the module `widgets` beside it."""
    package = module.__name__.rpartition(".")[0]
    modules = [module]
    if package and (widgets := sys.modules.get(f"{package}.widgets")):
        modules.append(widgets)
    builders: dict[str, Callable[..., Any]] = {}
    for each in modules:
        for name, function in inspect.getmembers(each, inspect.isfunction):
            is_own = function.__module__ == each.__name__
            if is_own and name.startswith("build_") and _can_return_widget(function):
                builders.setdefault(name, function)
    return list(builders.values())


def _can_return_widget(function: Callable[..., Any]) -> bool:
    """Return whether the annotated result of a function can be a widget; without annotation it can."""
    result = _type_hints(function).get("return", dict)
    kind = typing.get_origin(result) or result
    return kind in (dict, Mapping, Any, object) or (isinstance(kind, type) and issubclass(kind, BaseModel | Mapping))


def _type_hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - annotations may use names that are imported for type checkers only
        return {}


def _call_with_samples(function: Callable[..., Any]) -> Any:
    """Call a function with a sample value for each argument without a default."""
    hints = _type_hints(function)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        is_variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if is_variadic or parameter.default is not parameter.empty:
            continue
        value = _sample_value(name, hints.get(name), function.__name__)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(value)
        else:
            named[name] = value
    return function(*positional, **named)


def _sample_value(name: str, hint: Any, function: str) -> Any:
    """Return a sample value for an argument; `name` and `function` are for the error.

    Raises:
        _NoWidgetError: When the annotation is missing, or not of a simple type.
    """
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)[0]
    if typing.get_origin(hint) in (typing.Union, UnionType):
        choices = [each for each in typing.get_args(hint) if each is not NoneType]
        hint = choices[0] if choices else hint
    if typing.get_origin(hint) is list and typing.get_args(hint)[0] in _SAMPLE_VALUES:
        return [_SAMPLE_VALUES[typing.get_args(hint)[0]]] * 3
    if isinstance(hint, type) and hint in _SAMPLE_VALUES:
        return _SAMPLE_VALUES[hint]
    raise _NoWidgetError(
        f"{function} needs a value for '{name}' that cannot be made up; return a sample from sample_widgets"
    )


def _load_preview(path: Path) -> Any:
    """Return the preview in a template file; without one, the widget that the template builds without data."""
    preview = None
    # A broken file is reported by the template below, and a broken preview by its findings.
    with suppress(OSError, ValueError, AttributeError):
        preview = json.loads(path.read_text(encoding="utf-8")).get("outputJsonPreview")
        if isinstance(preview, str):
            preview = json.loads(preview)
    if preview is not None:
        return preview
    try:
        return WidgetTemplates(path.parent).build(path.stem)
    except WidgetError as exc:
        raise _NoWidgetError(f"{path.name} has no preview, and cannot be built without data: {exc}") from exc
