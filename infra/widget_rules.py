"""Rules about widgets that ChatKit's packages do not declare, such as ranges and formats, and additions of our client.

`infra/widget_catalogue.py` merges them with the declarations. Sources: the comments of both packages, ChatKit's
documentation, and `frontend/src/widgets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import ImageColor

SCHEMES = ("vendor:", "lucide:")
"""Prefixes of icon names that no package lists."""

RULES: Mapping[str, Mapping[str, Any]] = {
    r"(Box|Row|Col|Form|Image|Chart)\.((min|max)?(Width|Height|Size)|width|height|size)": {
        "format": "length",
        "min": 0,
    },
    r"(Text|Table\.Cell)\.width|Spacer\.minSize|Divider\.size": {"format": "length", "min": 0},
    r".*\.(gap|padding|spacing)": {"format": "spacing", "min": 0},
    r".*\.margin|Spacing\..*": {"format": "spacing"},
    r".*\.flex": {"format": "flex", "min": 0},
    r".*\.aspectRatio": {"format": "ratio", "above": 0},
    r"(Text|Title|Caption|Label|Icon)\.color": {"format": "color", "tokens": "text"},
    r".*\.background": {"format": "color", "tokens": "background"},
    r"(Divider|Border)\.color": {"format": "color", "tokens": "border"},
    r".*Series\.color": {"format": "color", "tokens": "chart"},
    r"ThemeColor\.(dark|light)": {"format": "color"},
    r".*\.(minLines|maxLines|rows|maxRows|colSpan|rowSpan|limit)": {"integer": True, "min": 1},
    r"Chart\.(barGap|barCategoryGap)": {"min": 0},
    r"Border\.size|Borders\..*|.*\.border": {"min": 0},
    r"DatePicker\.(defaultValue|min|max)": {"format": "date"},
    r".*\.pattern": {"format": "pattern"},
    r"Image\.src|WidgetStatus\.favicon": {"format": "image"},
    r".*\.(name|fieldName)": {"not_empty": True},
    r"(Bar|Area|Line)Series\.type": {"required": True},
    r"ActionConfig\.type|.*\.dataKey": {"not_empty": True},
}
"""Ranges and formats by regular expressions for ``Component.prop``; all that match apply, later ones last."""

EXTRA_PROPS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "Button": {"ariaLabel": {"types": ["string"], "only": "Parlor"}},
}
"""Props of Parlor's client that neither package declares."""

_COMPONENTS = (
    "Badge", "Box", "Button", "Caption", "Chart", "Checkbox", "Col", "DatePicker", "Divider", "Form", "Icon", "Image",
    "Input", "Label", "Markdown", "RadioGroup", "Row", "Select", "Spacer", "Table", "Text", "Textarea", "Title",
    "Transition",
)  # fmt: skip

CHILDREN: Mapping[str, Mapping[str, Any]] = {
    **{name: {"of": list(_COMPONENTS)} for name in ("Card", "ListViewItem", "Box", "Row", "Col", "Form", "Table.Cell")},
    "Basic": {"of": [*_COMPONENTS, "Card", "ListView", "Basic"]},
    "ListView": {"of": ["ListViewItem"]},
    "Table": {"of": ["Table.Row"]},
    "Table.Row": {"of": ["Table.Cell"]},
    "Transition": {"of": list(_COMPONENTS), "single": True},
}
"""The components that each component may contain."""

DEFAULTS: Mapping[str, Any] = {
    "ActionConfig.handler": "server",
    "ActionConfig.loadingBehavior": "auto",
    "ActionConfig.streaming": True,
    "Badge.color": "secondary",
    "Badge.size": "sm",
    "Badge.variant": "soft",
    "Basic.direction": "col",
    "Border.style": "solid",
    "Box.direction": "col",
    "Button.pill": True,
    "Button.size": "md",
    "Caption.size": "md",
    "Card.size": "md",
    "Checkbox.defaultChecked": False,
    "DatePicker.size": "md",
    "Form.direction": "col",
    "Input.inputType": "text",
    "Input.size": "md",
    "Input.variant": "outline",
    "Label.size": "sm",
    "RadioGroup.direction": "row",
    "Select.size": "md",
    "Select.variant": "outline",
    "Text.size": "md",
    "Textarea.rows": 3,
    "Textarea.maxRows": 10,
    "Textarea.size": "md",
    "Textarea.variant": "outline",
    "Title.size": "md",
}
"""The values that the client uses where a prop is left out."""

COLORS: Mapping[str, Any] = {
    "tokens": {
        "text": ["prose", "primary", "emphasis", "secondary", "tertiary", "success", "warning", "danger"],
        "background": [
            "surface",
            "surface-secondary",
            "surface-tertiary",
            "surface-elevated",
            "surface-elevated-secondary",
        ],
        "border": ["default", "subtle", "strong"],
        "chart": ["blue", "purple", "orange", "green", "red", "yellow", "pink"],
    },
    "hues": ["gray", "green", "red", "pink", "orange", "yellow", "purple", "blue"],
    "steps": [0, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000],
    # Source: CSS Color Module Level 4, 6.1 to 6.3.
    "css": sorted({*ImageColor.colormap, "transparent", "currentcolor", "inherit", "initial", "unset", "revert"}),
}
"""The names of colours: tokens by family, hues and steps of the primitives such as ``red-100``, and CSS names."""
