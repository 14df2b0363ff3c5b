"""Inventory of the image: a CycloneDX bill of materials, and the licence notices of all packages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

# Namespace for a serial number that depends on the contents only.
_NAMESPACE = uuid.UUID("7c2f6d3e-58b0-4f2a-9d43-2f6f6f0f3c11")
_LICENCE_FILES = ("licen", "copying", "notice", "authors")


def build_sbom(installed: Iterable[Distribution], npm_lock: Path, sources: str) -> str:
    """Return a bill of materials in CycloneDX 1.6, reproducible for the same packages.

    Args:
        installed: The Python packages of the image.
        npm_lock: The lock file of the client, whose runtime packages are part of the built client.
        sources: The value of the build argument ``SOURCES``: which sources of packages the image contains.
    """
    components = [_python_component(package) for package in installed]
    components += _npm_components(json.loads(npm_lock.read_text(encoding="utf-8")))
    components.sort(key=lambda component: component["purl"])
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
    component = _build_component(f"pkg:pypi/{name}@{package.version}", str(package.name), package.version)
    licence = _metadata_field(package, "License-Expression")
    if licence:
        component["licenses"] = [{"expression": licence}]
    elif names := list(_licence_names(package)):
        component["licenses"] = [{"license": {"name": label}} for label in names]
    return component


def _licence_names(package: Distribution) -> Iterator[str]:
    classifiers = package.metadata.get_all("Classifier") or []
    named = [line.rsplit(" :: ", 1)[1] for line in classifiers if line.startswith("License :: ")]
    if named:
        yield from named
    elif licence := _metadata_field(package, "License"):
        # In some packages the field contains the whole text of the licence.
        yield licence.splitlines()[0][:100]


def _metadata_field(package: Distribution, name: str) -> str | None:
    return next(iter(package.metadata.get_all(name) or []), None)


def _npm_components(lock: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path, package in lock["packages"].items():
        if not path or package.get("dev") or package.get("optional") or package.get("peer"):
            continue
        name = path.rpartition("node_modules/")[2]
        component = _build_component(f"pkg:npm/{quote(name, safe='/')}@{package['version']}", name, package["version"])
        if licence := package.get("license"):
            component["licenses"] = [{"expression": licence}]
        yield component


def _build_component(purl: str, name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def build_notices(installed: Iterable[Distribution], data_notice: str) -> str:
    """Return the licences of all Python packages, with the texts that they contain, and the notice of the city data.

    The licences of the client's packages are in `static/dist/LICENSES.txt`.
    """
    parts = [
        "What this image contains beside its base. Notices of the client: static/dist/LICENSES.txt beside the\n"
        f"package's own files. Notices of the base image: /usr/share/doc in it.\n\n{data_notice}"
    ]
    for package in installed:
        licence = (
            _metadata_field(package, "License-Expression") or ", ".join(_licence_names(package)) or "see its texts"
        )
        parts.append(
            f"{'=' * 80}\n{package.name} {package.version} ({licence})\n\n" + "\n".join(_licence_texts(package))
        )
    return "\n".join(parts)


def _licence_texts(package: Distribution) -> Iterator[str]:
    for file in sorted(package.files or [], key=str):
        is_text = file.suffix.lower() in ("", ".txt", ".md", ".rst", ".apache", ".bsd", ".psf")
        if ".dist-info" not in str(file) or not is_text or not file.name.lower().startswith(_LICENCE_FILES):
            continue
        path = Path(str(package.locate_file(file)))
        if path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace").strip() + "\n"
