"""Corrects the `RECORD` files of the image's packages after some of their files were left out or changed.

Each installed package lists its files with their digests in `RECORD`. Installers remove by it, and scanners of images
compare with it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path


def correct_records(packages: Path) -> None:
    """Rewrite each package's `RECORD`, without missing files and with the digests of the present ones.

    Bytecode that stands in the place of a source is listed in its place.
    """
    for record in sorted(packages.glob("*.dist-info/RECORD")):
        with record.open(encoding="utf-8", newline="") as file:
            names = [row[0] for row in csv.reader(file) if row]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for name in _present(packages, names):
            path = packages / name
            # Its own digest cannot be in it.
            writer.writerow((name, "", "") if path == record else (name, _digest(path), path.stat().st_size))
        record.write_text(text.getvalue(), encoding="utf-8")


def _present(packages: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        if (packages / name).is_file():
            yield name
        elif name.endswith(".py") and (packages / f"{name}c").is_file():
            yield f"{name}c"


def _digest(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
