"""Export of the page as static files, for a CDN or a bucket, with its server at another origin."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from errors import ConfigError, ParlorError

# What the page itself asks for; all else its scripts find beside them.
_ADDRESS = re.compile(r'(?P<name>src|href)="(?P<path>static/[\w./-]+\.(?:js|css))"')
_PRELOAD = re.compile(r'\n\s*<link rel="preload"[^>]*>')
_ICON = 'href="favicon.ico"'
_CHARSET = '<meta charset="utf-8">'


def export_page(static_dir: Path, target: Path, api: str) -> list[str]:
    """Write the page and its files into a folder and return what there is to say of it.

    Args:
        static_dir: The page's files, with the built client.
        target: A folder that is empty or does not exist.
        api: The address of the server, e.g. ``https://chat-api.example``, maybe with a path.

    Raises:
        ConfigError: When the address is not an http(s) URL without query and user.
        ParlorError: When the client is not built, or the folder holds something or cannot be written.
    """
    address = _parse_api(api)
    if not (static_dir / "dist" / "chatkit.js").is_file():
        raise ParlorError("The client is not built, so there is nothing to export; in a clone: ./parlor build")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ParlorError(f"'{target}' holds something already: name a folder that is empty or does not exist.")
    try:
        shutil.copytree(static_dir, target / "static", ignore=shutil.ignore_patterns("index.html", ".fingerprint"))
        page = (static_dir / "index.html").read_text(encoding="utf-8")
        (target / "index.html").write_text(_build_page(page, target, address), encoding="utf-8")
    except OSError as exc:
        raise ParlorError(f"The page cannot be written to '{target}': {exc.strerror}") from exc
    count = sum(path.is_file() for path in target.rglob("*"))
    return [
        f"Wrote {count} files to {target}.",
        f"The server at {address} needs ALLOWED_ORIGINS with the origin under which the page will be.",
        "People are known there by a token that the page keeps; no cookie is needed.",
    ]


def _parse_api(api: str) -> str:
    parts = urlsplit(api)
    is_plain = not (parts.query or parts.fragment or parts.username or re.search(r"[\s\"'<>;,]", api))
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise ConfigError("--api", f"'{api}' is no address such as https://chat-api.example")
    return api.rstrip("/") + "/"


def _build_page(page: str, target: Path, api: str) -> str:
    def hashed(match: re.Match[str]) -> str:
        path = target / match["path"]
        digest = hashlib.sha384(path.read_bytes()).digest()
        name = f"{path.stem}-{digest.hex()[:12]}{path.suffix}"
        path.rename(path.with_name(name))
        address = f"{match['path'].rpartition('/')[0]}/{name}"
        return f'{match["name"]}="{address}" integrity="sha384-{base64.b64encode(digest).decode()}"'

    parts = urlsplit(api)
    origin = f"{parts.scheme}://{parts.netloc}"
    # `frame-ancestors` means nothing in a page: who serves it says that in a header.
    policy = (
        f"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: {origin}; "
        f"connect-src 'self' {origin}; frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "require-trusted-types-for 'script'"
    )
    head = (
        f'{_CHARSET}\n    <meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'    <meta name="parlor-api" content="{html.escape(api)}">'
    )
    # The server's answers are asked for with a token, which a preload would not have.
    page = _PRELOAD.sub("", page).replace(_CHARSET, head, 1).replace(_ICON, 'href="static/logo.svg"', 1)
    return _ADDRESS.sub(hashed, page)
