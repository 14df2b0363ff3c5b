"""Statements 140, 143, 149, 150, 151, and the parts that a page may style: what holds in every state of the chat.

In light and dark, wide and narrow.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from infra.client_build import ROOT
from tests.browser.axe import RULES_OF_COLOUR, find_violations
from tests.browser.chat import SETTLE
from tests.browser.conftest import ACTION_TIMEOUT_MS
from tests.browser.servers.scripted import ScriptedServer
from tests.browser.stage import Stage
from tests.browser.states import STATES, widget_fields

INSPECTIONS = Path(__file__).parent / "inspections"
INSPECT = (INSPECTIONS / "controls.js").read_text(encoding="utf-8")

CONTRAST = (INSPECTIONS / "contrast.js").read_text(encoding="utf-8")

# Those that the element computes its lines from; with a grayscale of 9 and 4 as far as they go.
THEMES = {
    "slate": "{color: {grayscale: {hue: 220, tint: 9, shade: 4}}}",
    "slate at night": "{colorScheme: 'dark', color: {grayscale: {hue: 220, tint: 9, shade: 4}}}",
    "rose": "{color: {grayscale: {hue: 340, tint: 9, shade: -4}, accent: {primary: '#ffd6e7', level: 3}}}",
    "yellow": "{color: {accent: {primary: '#ffe000', level: 2}}}",
    "navy at night": "{colorScheme: 'dark', color: {accent: {primary: '#0a1a4a', level: 1}}}",
    "sand": "{color: {surface: {background: '#d8cbb0', foreground: '#2b2413'}}}",
    "sea": "{colorScheme: 'dark', color: {surface: {background: 'oklch(42% 0.09 220)', foreground: 'white'}}}",
    "gray": "{color: {surface: {background: 'gray', foreground: 'black'}, accent: {primary: 'gray', level: 1}}}",
    "raised": "{colorScheme: 'dark', color: {surface: {background: '#1b2636', foreground: '#26344a'}}}",
}

# A property that no part inherits, with a value that none of our own rules has.
STYLE_ALL = """names => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(names.map(name => `openai-chatkit::part(${name}) { outline-offset: 77px }`).join('\\n'));
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
LOOK_AT_PARTS = """names => {
    const found = {reached: [], missed: []};
    const walk = root => {
        for (const each of root.querySelectorAll('*')) {
            for (const name of each.part) {
                if (!names.includes(name)) continue;
                (getComputedStyle(each).outlineOffset === '77px' ? found.reached : found.missed).push(name);
            }
            if (each.shadowRoot) walk(each.shadowRoot);
        }
    };
    walk(document);
    return found;
}"""

Findings = dict[str, dict[str, list[str]]]


def documented_parts() -> list[str]:
    table = (ROOT / "docs" / "theming.md").read_text(encoding="utf-8").split("## Parts")[1]
    return re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)


@pytest.fixture(scope="module")
def findings(browser: Browser, _scripted_app: tuple[ScriptedServer, str]) -> Iterator[Findings]:
    """Return all that is wrong, by check and state: every state is visited once and looked at in all these ways."""
    server, server.url = _scripted_app
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(ACTION_TIMEOUT_MS)
    page = context.new_page()
    stage = Stage(page, server)
    server.reset()
    stage.open()
    parts = documented_parts()
    page.evaluate(STYLE_ALL, parts)
    found: Findings = defaultdict(dict)
    for name, reach in STATES.items():
        page.set_viewport_size({"width": 1280, "height": 800})
        try:
            reach(stage)
        except (AssertionError, Error) as error:
            # The other states are looked at nevertheless.
            found["reached"][name] = [str(error)]
        else:
            # Before anything moves: what hovers over a tag goes with the pointer's place on a narrower page.
            seen: dict[str, list[str]] = page.evaluate(LOOK_AT_PARTS, parts)
            look(page, name, found)
            found["parts"][name] = seen["reached"]
            if seen["missed"]:
                found["missed parts"][name] = seen["missed"]
        stage.clear()
    widget_fields(stage)
    for name, theme in THEMES.items():
        page.evaluate(f"repaint({theme})")
        page.evaluate(SETTLE)
        if faint := page.evaluate(CONTRAST):
            found["themes"][name] = faint
    stage.clear()
    yield found
    context.close()


def look(page: Page, state: str, found: Findings) -> None:
    """Note what is wrong with the state that the page is in."""

    def note(**checks: list[str]) -> None:
        for check, problems in checks.items():
            if problems:
                found[check][state] = problems

    page.evaluate(SETTLE)
    wide: dict[str, Any] = page.evaluate(INSPECT)
    note(**{check: wide[check] for check in ("ids", "references", "names", "targets")})
    note(light=find_violations(page, "openai-chatkit"), light_controls=page.evaluate(CONTRAST))
    page.evaluate("repaint('dark')")
    page.evaluate(SETTLE)
    note(dark=find_violations(page, "openai-chatkit", RULES_OF_COLOUR), dark_controls=page.evaluate(CONTRAST))
    # 1280 pixels at 400 percent.
    page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate(SETTLE)
    narrow: dict[str, Any] = page.evaluate(INSPECT)
    note(reflow=[*narrow["wide"], *narrow["cut"]], narrow_targets=narrow["targets"])


def text_of(problems: dict[str, list[str]]) -> str:
    return json.dumps(problems, indent=1, ensure_ascii=False)


def test_every_state_can_be_reached(findings: Findings) -> None:
    assert findings["reached"] == {}, text_of(findings["reached"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(findings: Findings, scheme: str) -> None:
    assert findings[scheme] == {}, text_of(findings[scheme])


@pytest.mark.parametrize("check", ["light_controls", "dark_controls", "themes"])
def test_fields_icons_of_controls_and_the_ring_of_the_focus_stand_out(findings: Findings, check: str) -> None:
    assert findings[check] == {}, text_of(findings[check])


@pytest.mark.parametrize("check", ["ids", "references"])
def test_ids_are_unique_and_references_stay_in_their_shadow_root_in_every_state(findings: Findings, check: str) -> None:
    assert findings[check] == {}, text_of(findings[check])


def test_a_page_reaches_every_documented_part(findings: Findings) -> None:
    assert len(documented_parts()) > 20
    assert findings["missed parts"] == {}, text_of(findings["missed parts"])
    assert sorted({part for reached in findings["parts"].values() for part in reached}) == sorted(documented_parts())


def test_every_control_has_a_name_and_no_file_field_is_a_stop_of_tab(findings: Findings) -> None:
    assert findings["names"] == {}, text_of(findings["names"])


@pytest.mark.parametrize("check", ["targets", "narrow_targets"])
def test_every_target_is_at_least_24_pixels_wide_and_high(findings: Findings, check: str) -> None:
    assert findings[check] == {}, text_of(findings[check])


def test_nothing_is_lost_or_scrolls_sideways_at_320_pixels(findings: Findings) -> None:
    assert findings["reflow"] == {}, text_of(findings["reflow"])
