"""Widget templates: `.widget` files of ChatKit's Studio, rendered with data that their schema allows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chatkit.widgets import DynamicWidgetRoot, WidgetTemplate
from jinja2 import Environment, StrictUndefined, TemplateError, Undefined
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from pydantic import BaseModel

from errors import WidgetError
from widgets.findings import nearest

MAX_TEMPLATE_BYTES = 1_000_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]*")
_UNDEFINED = re.compile(r"'(\w+)' is undefined")


def _refuse_non_json(value: Any) -> Any:
    """Raise for a value that is not JSON; for an undefined variable, name it, which `tojson` itself does not do."""
    if isinstance(value, Undefined):
        str(value)  # raises Jinja's UndefinedError with the name
    raise TypeError(f"a value is of the type {type(value).__name__}, for which JSON has no form")


_ENVIRONMENT = Environment(undefined=StrictUndefined)  # noqa: S701 - it renders JSON, not HTML
_ENVIRONMENT.policies["json.dumps_kwargs"] = {"sort_keys": True, "default": _refuse_non_json}


class WidgetTemplates:
    """The templates in one folder: ``WidgetTemplates(Path(__file__).parent)``.

    Each file is read when it is first used. Templates are code, like the modules of a use case: load none from
    untrusted sources.

    Args:
        folder: The folder of the files; `build("order")` renders ``order.widget``.
    """

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)
        self._loaded: dict[str, tuple[WidgetTemplate, Draft202012Validator]] = {}

    def names(self) -> list[str]:
        """Return the names of all templates in the folder."""
        return sorted(path.stem for path in self._folder.glob("*.widget"))

    def build(self, name: str, data: Mapping[str, Any] | BaseModel | None = None) -> DynamicWidgetRoot:
        """Render a template.

        Args:
            name: The file name without its extension.
            data: A value for each variable of the template's schema.

        Raises:
            WidgetError: When there is no such template, or it cannot be rendered with `data`; the message says why.
        """
        template, schema = self._load(name)
        values = data.model_dump(mode="json") if isinstance(data, BaseModel) else dict(data or {})
        self._check_data(name, values, schema)
        try:
            built = template.build(values)
        except TemplateError as exc:
            known = ", ".join(sorted(values)) or "none"
            missing = _UNDEFINED.search(str(exc))
            near = nearest(missing[1], values) if missing else None
            hint = f"did you mean '{near}'?" if near else f"the variables given are: {known}"
            raise WidgetError(f"{name}.widget: {exc}; {hint}") from exc
        except (ValueError, TypeError) as exc:
            raise WidgetError(
                f"{name}.widget: what it makes is no widget: {exc}; write values as {{{{ x | tojson }}}}"
            ) from exc
        return built

    def _load(self, name: str) -> tuple[WidgetTemplate, Draft202012Validator]:
        if name not in self._loaded:
            path = self._folder / f"{name}.widget"
            if not _NAME.fullmatch(name) or not path.is_file():
                near = nearest(name, self.names())
                hint = f"; did you mean '{near}'?" if near else f"; there are: {', '.join(self.names()) or 'none'}"
                raise WidgetError(f"there is no template '{name}' in {self._folder}{hint}")
            if path.stat().st_size > MAX_TEMPLATE_BYTES:
                raise WidgetError(f"{path.name} is larger than {MAX_TEMPLATE_BYTES} bytes")
            try:
                definition = json.loads(path.read_text(encoding="utf-8"))
                schema = definition.get("jsonSchema") or {}
                Draft202012Validator.check_schema(schema)
                compiled = _ENVIRONMENT.from_string(definition["template"])
                self._loaded[name] = WidgetTemplate({**definition, "template": compiled}), Draft202012Validator(schema)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, TemplateError, SchemaError) as exc:
                reason = f"it has no {exc}" if isinstance(exc, KeyError) else str(exc).partition("\n")[0]
                raise WidgetError(f"{path.name} is no template of version 1.0: {reason}") from exc
        return self._loaded[name]

    def _check_data(self, name: str, values: Mapping[str, Any], schema: Draft202012Validator) -> None:
        known = schema.schema.get("properties") if isinstance(schema.schema, Mapping) else None
        if isinstance(known, Mapping):
            for key in values:
                if key not in known:
                    near = nearest(str(key), known)
                    hint = f"; did you mean '{near}'?" if near else f"; it has: {', '.join(known) or 'none'}"
                    raise WidgetError(f"{name}.widget has no variable '{key}'{hint}")
        problem = best_match(schema.iter_errors(values))
        if problem is not None:
            place = ".".join(str(part) for part in problem.absolute_path)
            raise WidgetError(f"{name}.widget: {f'{place}: ' if place else ''}{problem.message}")
