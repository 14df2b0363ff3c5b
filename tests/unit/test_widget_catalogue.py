from __future__ import annotations

from typing import Any

import pytest

from tests.unit.widget_catalogue import problems


@pytest.mark.parametrize(
    ("component", "found"),
    [
        ({"type": "Txt"}, "Txt is unknown"),
        ({"type": "Text", "value": "x", "colour": "red"}, "Text.colour is unknown"),
        ({"type": "Text", "value": "x", "id": None}, "Text.id is null"),
        ({"type": "Badge", "label": "x", "color": "pink"}, "Badge.color: "),
        ({"type": "Icon", "name": "elephant"}, "Icon.name"),
        ({"type": "Button", "label": "x", "iconStart": "elephant"}, "Button.iconStart"),
        ({"type": "Button", "onClickAction": {"type": "x", "stream": True}}, "Button.onClickAction.stream is unknown"),
        ({"type": "Chart", "data": [], "series": [{"type": "pie"}], "xAxis": "x"}, "pie is unknown"),
    ],
)
def test_the_catalogue_notices_what_chatkit_ignores(component: dict[str, Any], found: str) -> None:
    assert [text for text in problems({"type": "Card", "children": [component]}) if text.startswith(found)]


def test_the_catalogue_accepts_what_chatkit_draws() -> None:
    text = {"type": "Text", "value": "x"}
    assert [problems({"type": kind, "children": [text]}) for kind in ("Card", "Basic")] == [[], []]
    assert problems(text) == ["Text is no root"]
