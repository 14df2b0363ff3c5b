from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.web.edge import JSON, Edge, use_case
from web.widget_gallery import MAX_BODY_BYTES, build_widget_gallery_router

DEVELOPMENT = {"parlor_env": "development"}
CARD = {"type": "Card", "children": [{"type": "Text", "value": "hello"}]}


def shop(**details: Any) -> Any:
    return use_case("shop", sample_widgets=lambda: {"greeting": CARD, "slip": {**CARD, "sise": "sm"}}, **details)


@pytest.mark.parametrize("environment", ["production", "test"])
@pytest.mark.parametrize("path", ["/dev/widgets", "/dev/widgets/list", "/dev/widgets/findings"])
async def test_outside_of_development_there_is_no_gallery(edge: Edge, environment: str, path: str) -> None:
    async with edge.client(edge.app(shop(), settings={"parlor_env": environment})) as client:
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path, json={"widget": CARD})).status_code == 404


async def listed(client: httpx.AsyncClient) -> dict[Any, Any]:
    answer = await client.get("/dev/widgets/list")
    assert answer.status_code == 200, answer.text
    return {group["name"]: {each["name"]: each for each in group["widgets"]} for group in answer.json()["groups"]}


async def test_the_gallery_lists_components_and_widgets_with_what_is_wrong(edge: Edge) -> None:
    async with edge.client(edge.app(shop(), use_case("bare"), settings=DEVELOPMENT)) as client:
        groups = await listed(client)
    assert list(groups) == [None, "bare", "shop"]
    assert groups[None]["Badge"]["widget"]["type"] == "Card"
    assert groups["bare"] == {}
    assert groups["shop"]["greeting"]["widget"] == CARD
    assert groups["shop"]["greeting"]["findings"] == []
    [finding] = groups["shop"]["slip"]["findings"]
    assert (finding["path"], finding["severity"]) == ("Card.sise", "error")


async def test_a_forbidden_use_case_is_not_in_the_gallery(edge: Edge) -> None:
    async with edge.client(edge.app(shop(is_allowed=lambda context: False), settings=DEVELOPMENT)) as client:
        assert "shop" not in await listed(client)


async def test_a_widget_that_is_being_written_is_checked(edge: Edge) -> None:
    async with edge.client(edge.app(shop(), settings=DEVELOPMENT)) as client:
        for widget, paths in (
            (CARD, []),
            ({"type": "Card", "children": [{"type": "Buton"}]}, ["Card.children[0].Buton"]),
            ("no widget", ["widget"]),
            (None, ["widget"]),
        ):
            answer = await client.post("/dev/widgets/findings", json={"widget": widget, "use_case": "shop"})
            assert [each["path"] for each in answer.json()["findings"]] == paths


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", '{"widget":', "[" * 100_000])
async def test_a_question_without_a_widget_is_refused(edge: Edge, body: str) -> None:
    async with edge.client(edge.app(settings=DEVELOPMENT)) as client:
        answer = await client.post("/dev/widgets/findings", content=body, headers=JSON)
        assert answer.status_code == 400
        large = json.dumps({"widget": "x" * MAX_BODY_BYTES})
        assert (await client.post("/dev/widgets/findings", content=large, headers=JSON)).status_code == 413


async def test_the_page_names_the_built_part_or_says_that_nothing_is_built(tmp_path: Path, edge: Edge) -> None:
    app = edge.app(settings=DEVELOPMENT)
    app.router.routes.clear()
    app.include_router(build_widget_gallery_router(tmp_path, None))  # type: ignore[arg-type]
    async with edge.client(app) as client:
        assert (await client.get("/dev/widgets")).status_code == 503
        (tmp_path / "dist" / "parts").mkdir(parents=True)
        (tmp_path / "dist" / "chatkit.js").touch()
        (tmp_path / "dist" / "parts" / "widget-gallery-abc.js").touch()
        page = await client.get("/dev/widgets")
    assert page.headers["content-type"].startswith("text/html")
    assert "../static/dist/parts/widget-gallery-abc.js" in page.text
