from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path

import pytest

from errors import ConfigError, ParlorError
from main import STATIC_DIR
from process.page_export import export_page


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """The page as it is, with a client that need not be built for this."""
    folder = tmp_path / "static-of-the-server"
    shutil.copytree(STATIC_DIR, folder, ignore=shutil.ignore_patterns("dist"))
    (folder / "dist").mkdir()
    for name in ("chatkit.js", "page.js", "chatkit-0.1.0-9e9f26a6b0.js"):
        (folder / "dist" / name).write_text(f"// {name}")
    return folder


def test_every_file_of_the_exported_page_is_there_and_is_what_it_says(static: Path, tmp_path: Path) -> None:
    export_page(static, tmp_path / "out", "https://chat-api.example/base")
    page = (tmp_path / "out" / "index.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"]+)"(?: integrity="([^"]+)")?', page)
    assert len(addresses) >= 5
    for address, integrity in addresses:
        path = tmp_path / "out" / address
        assert path.is_file(), address
        if path.suffix in (".js", ".css"):
            digest = hashlib.sha384(path.read_bytes()).digest()
            assert integrity == f"sha384-{base64.b64encode(digest).decode()}"
            assert digest.hex()[:12] in path.name
    assert '<meta name="parlor-api" content="https://chat-api.example/base/">' in page
    assert "connect-src 'self' https://chat-api.example;" in page
    assert "/api/" not in page
    assert (tmp_path / "out" / "static" / "dist" / "chatkit.js").is_file()


@pytest.mark.parametrize(
    "api", ["chat-api.example", "ftp://x", "https://x/?a=b", 'https://x/"><script>', "https://x; y"]
)
def test_an_invalid_address_is_refused(static: Path, tmp_path: Path, api: str) -> None:
    with pytest.raises(ConfigError, match="--api"):
        export_page(static, tmp_path / "out", api)


def test_no_file_is_overwritten_and_a_page_without_its_client_is_refused(static: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(ParlorError, match="holds something"):
        export_page(static, tmp_path / "full", "https://x")
    (static / "dist" / "chatkit.js").unlink()
    with pytest.raises(ParlorError, match="not built"):
        export_page(static, tmp_path / "out", "https://x")
    assert not (tmp_path / "out").exists()
