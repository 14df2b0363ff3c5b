"""Accessibility checks of a page by axe-core."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Page

from infra.client_build import ROOT

RULES_OF_COLOUR = ("color-contrast", "link-in-text-block")
"""The rules whose results depend on the colour scheme."""

_SCRIPT = (ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
_RUN = """async ([within, rules]) => {
    const only = rules ? {runOnly: {type: 'rule', values: rules}} : {};
    const {violations} = await axe.run(within ?? document, {resultTypes: ['violations'], ...only});
    return violations.flatMap(({id, nodes}) => nodes.map(
        ({target, failureSummary}) => `${id}: ${target} ${failureSummary}`));
}"""


def find_violations(page: Page, within: str | None = None, rules: Sequence[str] | None = None) -> list[str]:
    """Return the violations on the page, or within a selector, of all rules or of some."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT)
    found: list[str] = page.evaluate(_RUN, [within, rules])
    return found
