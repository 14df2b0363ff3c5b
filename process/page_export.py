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

# What the page itself loads; its scripts import everything else by relative paths.
_ADDRESS = re.compile(r'(?P<name>src|href)="(?P<path>static/[\w./-]+\.(?:js|css))"')
_PRELOAD = re.compile(r'\n\s*<link rel="preload"[^>]*>')
_ICON = 'href="favicon.ico"'
_CHARSET = '<meta charset="utf-8">'


def export_page(static_dir: Path, target: Path, api: str) -> list[str]:
    """Write the page and its files into a folder, and return a report for the operator, line by line.

    Args:
        static_dir: The files of the page, with the built client.
        target: A folder that is empty or does not exist.
        api: The URL of the server, e.g. ``https://chat-api.example``; it may have a path.

    Raises:
        ConfigError: When `api` is not an http(s) URL, or has a query, fragment or user.
        ParlorError: When the client is not built, or the folder is not empty or cannot be written.
    """
    address = _parse_api_url(api)
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


def _parse_api_url(api: str) -> str:
    parts = urlsplit(api)
    is_plain = not (parts.query or parts.fragment or parts.username or re.search(r"[\s\"'<>;,]", api))
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise ConfigError("--api", f"'{api}' is no address such as https://chat-api.example")
    return api.rstrip("/") + "/"


def _build_page(page: str, target: Path, api: str) -> str:
    def rename_by_hash(match: re.Match[str]) -> str:
        path = target / match["path"]
        digest = hashlib.sha384(path.read_bytes()).digest()
        name = f"{path.stem}-{digest.hex()[:12]}{path.suffix}"
        path.rename(path.with_name(name))
        address = f"{match['path'].rpartition('/')[0]}/{name}"
        return f'{match["name"]}="{address}" integrity="sha384-{base64.b64encode(digest).decode()}"'

    parts = urlsplit(api)
    origin = f"{parts.scheme}://{parts.netloc}"
    # `frame-ancestors` has no effect in a meta element: the web server has to send it as a header.
    policy = (
        f"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: {origin}; "
        f"connect-src 'self' {origin}; frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "require-trusted-types-for 'script'"
    )
    head = (
        f'{_CHARSET}\n    <meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'    <meta name="parlor-api" content="{html.escape(api)}">'
    )
    # Requests to the server carry a token, which a preload would lack.
    page = _PRELOAD.sub("", page).replace(_CHARSET, head, 1).replace(_ICON, 'href="static/logo.svg"', 1)
    return _ADDRESS.sub(rename_by_hash, page)
