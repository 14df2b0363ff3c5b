"""Corrects the `RECORD` files of the image's packages after some of their files were removed or changed.

Each installed package lists its files and their digests in `RECORD`, which uninstallers and image scanners read.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path


def correct_records(packages: Path) -> None:
    """Rewrite each package's `RECORD` with the files that exist and their digests.

    Bytecode that has replaced a source is listed in its place.
    """
    for record in sorted(packages.glob("*.dist-info/RECORD")):
        with record.open(encoding="utf-8", newline="") as file:
            names = [row[0] for row in csv.reader(file) if row]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for name in _existing_names(packages, names):
            path = packages / name
            # `RECORD` cannot contain its own digest.
            writer.writerow((name, "", "") if path == record else (name, _digest(path), path.stat().st_size))
        record.write_text(text.getvalue(), encoding="utf-8")


def _existing_names(packages: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        if (packages / name).is_file():
            yield name
        elif name.endswith(".py") and (packages / f"{name}c").is_file():
            yield f"{name}c"


def _digest(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
