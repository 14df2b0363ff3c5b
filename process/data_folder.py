"""The data folder: created, checked, and made inaccessible to other users of the machine."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from config import DATABASE_FILE_NAME
from errors import ConfigError

logger = logging.getLogger(__name__)

PRIVATE_UMASK = 0o077
PRIVATE_FOLDER = 0o700
ATTACHMENTS = "attachments"
KEY_FILE_NAME = "secret.key"
"""Name of the file with the signing key, unless `SECRET_KEY` is set."""

_GROUP_AND_OTHERS = 0o077
_OWN_FILES = (KEY_FILE_NAME, *(f"{DATABASE_FILE_NAME}{end}" for end in ("", "-wal", "-shm", "-reserve", "-in-use")))


def prepare_data_folder(folder: Path) -> Path:
    """Create the data folder with mode 700, and return its folder of attachments.

    An existing folder keeps its mode, as it may be a mounted volume or shared on purpose; our files in it are made
    private. Others who can enter the folder see only the names of files.

    Raises:
        ConfigError: When the folder cannot be created or written to; the message gives a remedy.
    """
    try:
        if not folder.exists():
            folder.mkdir(parents=True, mode=PRIVATE_FOLDER)
            folder.chmod(PRIVATE_FOLDER)  # regardless of the umask
        if not folder.is_dir():
            raise NotADirectoryError(None, "it is no folder")
        if problem := find_problem(folder):
            raise ConfigError("DATA_DIR", f"'{folder}' {problem}")
        attachments = folder / ATTACHMENTS
        if not attachments.exists():
            attachments.mkdir(mode=PRIVATE_FOLDER)
            attachments.chmod(PRIVATE_FOLDER)
        for each in (attachments, *(folder / name for name in _OWN_FILES)):
            _close_to_others(each)
    except OSError as exc:
        raise ConfigError(
            "DATA_DIR",
            f"'{folder}' cannot be used: {exc.strerror}; name a folder that {_describe_user()} may write to",
        ) from exc
    if note := describe_mode(folder):
        logger.warning("the data folder can be entered by other users", extra={"path": str(folder), "reason": note})
    return attachments


def find_problem(folder: Path) -> str | None:
    """Return why an existing folder cannot be written to; None when it can."""
    if hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY:
        return "is on a read-only file system; mount it for writing, or name another folder"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        owner = _describe_owner(folder)
        return f"may not be written to by {_describe_user()}: it belongs to {owner}; chown it, or name another folder"
    return None


def describe_mode(folder: Path) -> str:
    """Return a warning about a folder that other users can enter; empty when they cannot."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & stat.S_ISVTX and os.name == "posix" and folder.stat().st_uid != os.geteuid():
        # A sticky volume of another user: others cannot remove our files, and we cannot change its mode.
        return ""
    return f"its mode is {mode:o}: chmod 700 '{folder}'" if os.name == "posix" and mode & _GROUP_AND_OTHERS else ""


def _close_to_others(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return
    if mode & _GROUP_AND_OTHERS:
        try:
            path.chmod(mode & ~_GROUP_AND_OTHERS)
        except OSError as exc:
            logger.warning("others can read it", extra={"path": str(path), "reason": exc.strerror})


def _describe_user() -> str:
    return f"user {os.geteuid()}" if hasattr(os, "geteuid") else "this user"


def _describe_owner(folder: Path) -> str:
    return f"user {folder.stat().st_uid}"
