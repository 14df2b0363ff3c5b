from __future__ import annotations

import subprocess
import sys

import pytest

from files.programs import build_command


@pytest.mark.parametrize("prefix", [None, "/where/bytecode/lies"])
def test_a_program_finds_the_bytecode_where_its_server_does(
    prefix: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", prefix)
    started = build_command("files.text_extraction")
    asked = [*started[: started.index("-c") + 1], "import sys; print(sys.pycache_prefix, sys.flags.isolated)"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, env={})
    assert done.stdout.split() == [str(prefix), "1"]
