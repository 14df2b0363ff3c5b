"""Backup and restore of the data folder, also while a server uses it.

The database is copied by SQLite's backup API, which takes a consistent snapshot. Files are copied after it: every file
is written before the row that names it, so that no row of the snapshot lacks its file.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import make_url

from config import DATABASE_FILE_NAME, Settings
from errors import ConfigError, ParlorError
from process.data_folder import ATTACHMENTS, KEY_FILE_NAME, PRIVATE_UMASK, prepare_data_folder

FORMAT = 1
MANIFEST = "manifest.json"
LOCK_TIMEOUT_S = 60.0
"""Longest wait for the lock of a database that is written to, in seconds."""

MAX_MANIFEST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class DataPaths:
    """Locations of the data that a backup contains.

    Attributes:
        database: The database file.
        files: The folder of uploaded files; None when they are in a bucket.
        key: The file of the signing key; it need not exist.
    """

    database: Path
    files: Path | None
    key: Path


def find_data_paths(settings: Settings) -> DataPaths:
    """Return the locations of the data, according to the settings.

    Raises:
        ConfigError: When the database is not a SQLite file.
    """
    url = make_url(settings.resolved_database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise ConfigError("DATABASE_URL", "is no SQLite file: use the tools of the database (pg_dump, pg_restore)")
    files: Path | None = settings.data_dir / ATTACHMENTS
    if settings.storage_url is not None:
        parts = urlsplit(settings.storage_url)
        files = Path(unquote(parts.path)) if parts.scheme == "file" else None
    return DataPaths(Path(url.database), files, settings.data_dir / KEY_FILE_NAME)


def back_up(settings: Settings, target: Path) -> list[str]:
    """Write an archive of all data, and return a report for the operator, line by line.

    Raises:
        ConfigError: When the database is not a SQLite file.
        ParlorError: When there is nothing to back up, or the archive cannot be written.
    """
    paths = find_data_paths(settings)
    if not paths.database.is_file():
        raise ParlorError(f"There is no database at '{paths.database}', so there is nothing to back up.")
    os.umask(PRIVATE_UMASK)  # the archive contains conversations, and the signing key
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(dir=target.resolve().parent, prefix=".parlor-backup-") as folder:
            copy = Path(folder) / DATABASE_FILE_NAME
            _copy_database(paths.database, copy)
            with tarfile.open(draft, "w:gz", compresslevel=3) as archive:
                _add_manifest(archive)
                archive.add(copy, DATABASE_FILE_NAME)
                if paths.key.is_file():
                    archive.add(paths.key, KEY_FILE_NAME)
                count = _add_files(archive, paths.files)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    except (OSError, sqlite3.Error, tarfile.TarError) as exc:
        raise ParlorError(f"The backup '{target}' cannot be written: {exc}") from exc
    finally:
        draft.unlink(missing_ok=True)
    report = [
        f"Backed up the database and {count} files to {target}. It holds a secret key: keep it as safe as the data."
    ]
    if paths.files is None:
        report = [f"Backed up the database to {target}. The files lie in a bucket: back that up by its own means."]
    return report


def restore(settings: Settings, source: Path) -> list[str]:
    """Replace the current data by those of an archive, and return a report for the operator, line by line.

    A running server sees the restored conversations with its next request. Files newer than the backup are kept.

    Raises:
        ConfigError: When the database is not a SQLite file.
        ParlorError: When the archive is not a backup, or is damaged, and nothing was changed; or when the database
            cannot be written.
    """
    paths = find_data_paths(settings)
    os.umask(PRIVATE_UMASK)
    prepare_data_folder(settings.data_dir)
    try:
        with tempfile.TemporaryDirectory(dir=settings.data_dir.resolve(), prefix=".parlor-restore-") as name:
            unpacked = Path(name)
            with tarfile.open(source, "r:gz") as archive:
                made_at = _check_manifest(archive)
                archive.extractall(unpacked, members=_select_members(archive), filter="data")
            _check_database(unpacked / DATABASE_FILE_NAME)
            # Files first: no row may name a file that is not there yet.
            count = _restore_files(unpacked / ATTACHMENTS, paths.files)
            paths.database.parent.mkdir(parents=True, exist_ok=True)
            _copy_database(unpacked / DATABASE_FILE_NAME, paths.database)
            is_new_key = _restore_key(unpacked / KEY_FILE_NAME, paths.key, settings)
    except (OSError, sqlite3.Error, tarfile.TarError, EOFError, ValueError, KeyError) as exc:
        raise ParlorError(f"'{source}' cannot be restored: {exc}") from exc
    report = [f"Restored the database of {made_at} and {count} files. Files that came later were left."]
    if is_new_key:
        report.append("The signing key is that of the backup: restart a running server, or it goes on with its own.")
    return report


def _copy_database(source: Path, target: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT_S

    def give_up(_status: int, _left: int, _total: int) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the database was locked for {LOCK_TIMEOUT_S:.0f} s")

    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer, progress=give_up)


def _check_database(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        [answer] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise ValueError(f"its database is damaged: {answer}")


def _add_manifest(archive: tarfile.TarFile) -> None:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    data = json.dumps({"format": FORMAT, "parlor": version("parlor"), "made_at": made_at}).encode()
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mode, entry.mtime = len(data), 0o600, int(time.time())
    archive.addfile(entry, io.BytesIO(data))


def _check_manifest(archive: tarfile.TarFile) -> str:
    first = archive.next()
    file = archive.extractfile(first) if first is not None and first.name == MANIFEST else None
    manifest = json.loads(file.read(MAX_MANIFEST_BYTES)) if file is not None else None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError("it is no backup of this version of Parlor")
    return str(manifest["made_at"])


def _select_members(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    known = {(DATABASE_FILE_NAME,), (KEY_FILE_NAME,), (ATTACHMENTS,)}
    members = [each for each in archive.getmembers() if each.isfile() or each.isdir()]
    return [each for each in members if PurePosixPath(each.name).parts[:1] in known]


def _add_files(archive: tarfile.TarFile, folder: Path | None) -> int:
    count = 0
    for path in sorted(folder.rglob("*")) if folder is not None and folder.is_dir() else ():
        try:
            if path.is_file():
                archive.add(path, f"{ATTACHMENTS}/{path.relative_to(folder or path).as_posix()}")
                count += 1
        except FileNotFoundError:
            continue  # deleted meanwhile, with its conversation
    return count


def _restore_files(source: Path, folder: Path | None) -> int:
    count = 0
    for path in sorted(source.rglob("*")) if folder is not None and source.is_dir() else ():
        if folder is None or not path.is_file():
            continue
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.restored")
        draft.write_bytes(path.read_bytes())
        draft.replace(target)
        count += 1
    return count


def _restore_key(source: Path, target: Path, settings: Settings) -> bool:
    if settings.secret_key is not None or not source.is_file():
        return False
    is_new = not target.is_file() or target.read_bytes() != source.read_bytes()
    if is_new:
        source.replace(target)
    return is_new
