from __future__ import annotations

import re
from pathlib import Path

BROWSER_TESTS = Path(__file__).parents[1] / "browser"
EXPRESSION = re.compile(r'wait_for_function\(\s*f?"+(?!"|(?:async )?(?:\(\S*(?:, \S+)*\)|\w+) =>)')


def test_waits_in_a_page_use_functions() -> None:
    """An expression is evaluated again at each look, which the policy of the pages refuses; a function is called."""
    found = {
        path.name: EXPRESSION.findall(text)
        for path in BROWSER_TESTS.glob("*.py")
        if EXPRESSION.search(text := path.read_text(encoding="utf-8"))
    }
    assert not found
