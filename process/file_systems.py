"""Detection of network file systems, on which SQLite's locks and shared memory do not work."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from sqlalchemy.engine import URL, make_url

from errors import ConfigError

MOUNTS = Path("/proc/self/mountinfo")

# On all of these, locks of SQLite do not reach other machines: two that open one database would both write to it.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "gfs2", "gpfs", "lustre",
        "nfs", "nfs4", "ocfs2", "smb3", "smbfs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.s3fs", "fuse.gcsfuse",
        "fuse.rclone", "fuse.davfs",
    }
)  # fmt: skip

_OCTAL = re.compile(r"\\([0-7]{3})")


def find_network_file_system(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the type of the network file system of `path`, e.g. ``"cifs"``; None for any other or an unknown one.

    Args:
        path: A file or folder, which need not exist.
        mounts: The mount table of Linux. Source: proc_pid_mountinfo(5).
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return None
    resolved = PurePosixPath(path.resolve())
    best, kind = PurePosixPath(), ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        mount_point = PurePosixPath(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        # Of two mounts at one mount point the later one is visible.
        if resolved.is_relative_to(mount_point) and len(mount_point.parts) >= len(best.parts):
            best, kind = mount_point, after.split(" ")[0]
    return kind if kind in NETWORK_FILE_SYSTEMS else None


def refuse_network_file_system(database_url: str | URL, mounts: Path = MOUNTS) -> None:
    """Reject a SQLite database on a network file system.

    Raises:
        ConfigError: When the database is such a file; the message gives a remedy.
    """
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    folder = Path(url.database).resolve().parent
    if kind := find_network_file_system(folder, mounts):
        raise ConfigError(
            "DATA_DIR or DATABASE_URL",
            f"'{folder}' is on a network file system ({kind}), where SQLite's locks and its write-ahead log do not "
            "work and the database would be damaged; use a disk of this machine, or PostgreSQL (DATABASE_URL). Files "
            "may lie there: STORAGE_URL=file:///path",
        )
