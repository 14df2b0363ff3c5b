"""The folder of the data: made, examined, and closed to other users of the machine."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from errors import ConfigError

logger = logging.getLogger(__name__)

PRIVATE_UMASK = 0o077
PRIVATE_FOLDER = 0o700
ATTACHMENTS = "attachments"

_OF_OTHERS = 0o077
_OWN_FILES = ("secret.key", "parlor.db", "parlor.db-wal", "parlor.db-shm", "parlor.db-reserve", "parlor.db-in-use")


def prepare_data_folder(folder: Path) -> Path:
    """Make the folder of the data, for its owner alone, and return its folder of attachments.

    A folder that was there keeps its mode, as it may be a mounted volume or shared on purpose; what is ours in it is
    closed to others. Whoever may enter a wider folder learns only their names.

    Raises:
        ConfigError: When the folder cannot be made or is not this user's to write to; the message says what to do.
    """
    try:
        if not folder.exists():
            folder.mkdir(parents=True, mode=PRIVATE_FOLDER)
            folder.chmod(PRIVATE_FOLDER)  # whatever the umask says
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
            f"'{folder}' cannot be used: {exc.strerror}; name a folder that {_user()} may write to",
        ) from exc
    if note := describe_mode(folder):
        logger.warning("the data folder can be entered by other users", extra={"path": str(folder), "reason": note})
    return attachments


def find_problem(folder: Path) -> str | None:
    """Return why nothing can be written into a folder that exists; None when something can."""
    if hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY:
        return "is on a read-only file system; mount it for writing, or name another folder"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"may not be written to by {_user()}: it belongs to {_owner(folder)}; chown it, or name another folder"
    return None


def describe_mode(folder: Path) -> str:
    """Return a remark on a folder that others may enter; an empty text when they may not."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & stat.S_ISVTX and os.name == "posix" and folder.stat().st_uid != os.geteuid():
        # A volume that belongs to nobody in the container: others cannot take our files away, nor can we close it.
        return ""
    return f"its mode is {mode:o}: chmod 700 '{folder}'" if os.name == "posix" and mode & _OF_OTHERS else ""


def _close_to_others(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return
    if mode & _OF_OTHERS:
        try:
            path.chmod(mode & ~_OF_OTHERS)
        except OSError as exc:
            logger.warning("others can read it", extra={"path": str(path), "reason": exc.strerror})


def _user() -> str:
    return f"user {os.geteuid()}" if hasattr(os, "geteuid") else "this user"


def _owner(folder: Path) -> str:
    return f"user {folder.stat().st_uid}"
