"""Inventory of the image: a bill of materials in the form of CycloneDX, and the notices of all licences."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

# A name that cannot be anybody's address: it makes the document's number from what is in it.
_NAMESPACE = uuid.UUID("7c2f6d3e-58b0-4f2a-9d43-2f6f6f0f3c11")
_LICENCE_FILES = ("licen", "copying", "notice", "authors")


def build_sbom(installed: Iterable[Distribution], npm_lock: Path, sources: str) -> str:
    """Return the bill of materials of CycloneDX 1.6; the same for the same content.

    Args:
        installed: The Python packages of the image.
        npm_lock: The lock file of the client, whose packages for use are part of the built client.
        sources: Which sources of others' packages are there; files are listed in the packages' own `RECORD`.
    """
    components = [_python_component(each) for each in installed]
    components += _npm_components(json.loads(npm_lock.read_text(encoding="utf-8")))
    components.sort(key=lambda each: each["purl"])
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(components))}",
        "version": 1,
        "metadata": {
            "component": {"type": "container", "name": "parlor", "bom-ref": "parlor-image"},
            "properties": [{"name": "parlor:sources", "value": sources}],
        },
        "components": components,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _python_component(package: Distribution) -> dict[str, Any]:
    name = str(package.name).lower().replace("_", "-").replace(".", "-")
    component = _component(f"pkg:pypi/{name}@{package.version}", str(package.name), package.version)
    licence = _field(package, "License-Expression")
    if licence:
        component["licenses"] = [{"expression": licence}]
    elif names := list(_named_licences(package)):
        component["licenses"] = [{"license": {"name": each}} for each in names]
    return component


def _named_licences(package: Distribution) -> Iterator[str]:
    classifiers = package.metadata.get_all("Classifier") or []
    named = [each.rsplit(" :: ", 1)[1] for each in classifiers if each.startswith("License :: ")]
    if named:
        yield from named
    elif licence := _field(package, "License"):
        # Some packages put the whole text there.
        yield licence.splitlines()[0][:100]


def _field(package: Distribution, name: str) -> str | None:
    return next(iter(package.metadata.get_all(name) or []), None)


def _npm_components(lock: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path, package in lock["packages"].items():
        if not path or package.get("dev") or package.get("optional") or package.get("peer"):
            continue
        name = path.rpartition("node_modules/")[2]
        component = _component(f"pkg:npm/{quote(name, safe='/')}@{package['version']}", name, package["version"])
        if licence := package.get("license"):
            component["licenses"] = [{"expression": licence}]
        yield component


def _component(purl: str, name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def build_notices(installed: Iterable[Distribution], data_notice: str) -> str:
    """Return the licences of all Python packages, with the texts that they bring, and that of the data.

    Those of the client stand beside it, in `static/dist/LICENSES.txt`.
    """
    parts = [
        "What this image contains beside its base. Notices of the client: static/dist/LICENSES.txt beside the\n"
        f"package's own files. Notices of the base image: /usr/share/doc in it.\n\n{data_notice}"
    ]
    for package in installed:
        licence = _field(package, "License-Expression") or ", ".join(_named_licences(package)) or "see its texts"
        parts.append(f"{'=' * 80}\n{package.name} {package.version} ({licence})\n\n" + "\n".join(_texts_of(package)))
    return "\n".join(parts)


def _texts_of(package: Distribution) -> Iterator[str]:
    for file in sorted(package.files or [], key=str):
        is_text = file.suffix.lower() in ("", ".txt", ".md", ".rst", ".apache", ".bsd", ".psf")
        if ".dist-info" not in str(file) or not is_text or not file.name.lower().startswith(_LICENCE_FILES):
            continue
        path = Path(str(package.locate_file(file)))
        if path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace").strip() + "\n"
