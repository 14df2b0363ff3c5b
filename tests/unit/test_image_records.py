from __future__ import annotations

import importlib.metadata
import py_compile
from pathlib import Path

from infra.image.records import correct_records


def test_the_record_of_a_package_lists_its_remaining_files(tmp_path: Path) -> None:
    package, notes = tmp_path / "dice", tmp_path / "dice-1.0.dist-info"
    package.mkdir()
    notes.mkdir()
    source = package / "throws, or rolls.py"
    source.write_text("SIDES = 6\n", encoding="utf-8")
    py_compile.compile(str(source), str(source.with_suffix(".pyc")))
    source.unlink()
    (package / "_fast.so").write_bytes(b"without its symbols")
    (notes / "METADATA").write_text("Name: dice\nVersion: 1.0\n", encoding="utf-8")
    (notes / "RECORD").write_text(
        '"dice/throws, or rolls.py",sha256=old,10\ndice/_fast.so,sha256=old,99\ndice/tests/test_dice.py,sha256=old,5\n'
        "../../../bin/dice,sha256=old,5\ndice-1.0.dist-info/METADATA,sha256=old,5\ndice-1.0.dist-info/RECORD,,\n",
        encoding="utf-8",
    )
    correct_records(tmp_path)
    [found] = importlib.metadata.distributions(path=[str(tmp_path)])
    files = {str(file): file for file in found.files or ()}
    assert list(files) == [
        "dice/throws, or rolls.pyc",
        "dice/_fast.so",
        "dice-1.0.dist-info/METADATA",
        "dice-1.0.dist-info/RECORD",
    ]
    library, own = files["dice/_fast.so"], files["dice-1.0.dist-info/RECORD"]
    assert library.size == 19
    assert library.hash is not None
    # printf 'without its symbols' | openssl dgst -sha256 -binary | base64 | tr +/ -_
    assert library.hash.value == "UCrTl7ANYGijAPif1G0r9_AMFj9EL0Jb_A1ZcedXTN8"
    assert own.hash is None
