from __future__ import annotations

import io
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from config import DATABASE_FILE_NAME, Settings
from errors import ConfigError, ParlorError
from process.backup import MANIFEST, back_up, restore


def settings_of(folder: Path, **values: Any) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **values)  # type: ignore[call-arg]


def write(folder: Path, *notes: str) -> None:
    with closing(sqlite3.connect(folder / DATABASE_FILE_NAME)) as connection, connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)")
        connection.execute("DELETE FROM notes")
        connection.executemany("INSERT INTO notes VALUES (?)", [(note,) for note in notes])


def notes_of(connection: sqlite3.Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY text")]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "attachments" / "ab").mkdir(parents=True)
    (folder / "attachments" / "ab" / "file").write_bytes(b"bytes")
    (folder / "secret.key").write_text("k" * 64)
    write(folder, "one", "two")
    return folder


def test_a_database_in_use_is_backed_up_and_restored(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    with (
        closing(sqlite3.connect(data / DATABASE_FILE_NAME)) as reader,
        closing(sqlite3.connect(data / DATABASE_FILE_NAME)) as writer,
    ):
        writer.execute("INSERT INTO notes VALUES ('not committed')")
        assert "1 files" in back_up(settings_of(data), archive)[0]
        writer.rollback()
        assert archive.stat().st_mode & 0o777 == 0o600

        write(data, "three")
        (data / "attachments" / "ab" / "file").unlink()
        (data / "attachments" / "later").write_bytes(b"later")
        assert notes_of(reader) == ["three"]
        said = restore(settings_of(data), archive)
        assert notes_of(reader) == ["one", "two"]
        assert len(said) == 1, "the key is the same"
    assert (data / "attachments" / "ab" / "file").read_bytes() == b"bytes"
    assert (data / "attachments" / "later").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"data", "backup.tar.gz"}


def test_a_backup_makes_a_folder_that_was_not_there(data: Path, tmp_path: Path) -> None:
    archive, fresh = tmp_path / "backup.tar.gz", tmp_path / "fresh"
    back_up(settings_of(data), archive)
    said = restore(settings_of(fresh), archive)
    assert "signing key" in said[1]
    assert (fresh / "secret.key").read_text() == "k" * 64
    with closing(sqlite3.connect(fresh / DATABASE_FILE_NAME)) as connection:
        assert notes_of(connection) == ["one", "two"]
    assert not [path for path in fresh.rglob("*") if path.stat().st_mode & 0o077]


def test_files_of_a_bucket_are_not_pretended_to_be_there(data: Path, tmp_path: Path) -> None:
    assert "in a bucket" in back_up(settings_of(data, storage_url="s3://files"), tmp_path / "b.tar.gz")[0]


def test_only_a_file_can_be_backed_up(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pg_dump"):
        back_up(settings_of(data, database_url="postgresql+psycopg://db/x"), tmp_path / "b.tar.gz")
    with pytest.raises(ParlorError, match="nothing to back up"):
        back_up(settings_of(tmp_path / "empty"), tmp_path / "b.tar.gz")


def tar_of(path: Path, **files: bytes) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo({"manifest": MANIFEST, "database": DATABASE_FILE_NAME}.get(name, "../" + name))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


MANIFEST_OK = b'{"format": 1, "made_at": "2026-01-01"}'


@pytest.mark.parametrize(
    "files",
    [
        {"database": b"x"},
        {"manifest": b'{"format": 2}', "database": b"x"},
        {"manifest": b"not json"},
        {"manifest": MANIFEST_OK},
        {"manifest": MANIFEST_OK, "database": b"SQLite format 3\0 and then nothing of it"},
    ],
)
def test_an_invalid_backup_changes_nothing(data: Path, tmp_path: Path, files: dict[str, bytes]) -> None:
    tar_of(tmp_path / "bad.tar.gz", **files)
    with pytest.raises(ParlorError, match="cannot be restored"):
        restore(settings_of(data), tmp_path / "bad.tar.gz")
    with closing(sqlite3.connect(data / DATABASE_FILE_NAME)) as connection:
        assert notes_of(connection) == ["one", "two"]


def test_a_torn_archive_and_names_that_lead_elsewhere_change_nothing(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    back_up(settings_of(data), archive)
    torn = tmp_path / "torn.tar.gz"
    torn.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(ParlorError):
        restore(settings_of(data), torn)
    tar_of(tmp_path / "evil.tar.gz", manifest=MANIFEST_OK, evil=b"x")
    with pytest.raises(ParlorError):
        restore(settings_of(data), tmp_path / "evil.tar.gz")
    assert not (data / "evil").exists()
    assert not (tmp_path / "evil").exists()
