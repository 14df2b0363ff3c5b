from __future__ import annotations

from pathlib import Path

import pytest

from errors import ConfigError
from process.file_systems import find_network_file_system, refuse_network_file_system

MOUNTINFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:26 / /mnt rw - tmpfs tmpfs rw
31 30 0:40 / /mnt/share rw,relatime shared:7 - cifs //server/share rw,vers=3.1.1
32 30 0:41 / /mnt/with\\040space rw - nfs4 server:/export rw
33 31 0:42 / /mnt/share/local rw - xfs /dev/vdb rw
34 22 0:43 / /data rw - ext4 /dev/vdc rw
35 22 0:44 / /data rw - fuse.blobfuse2 blobfuse2 rw
36 bad line
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTINFO)
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/parlor", None),
        ("/mnt/shared", None),
        ("/mnt/share/data/parlor.db", "cifs"),
        ("/mnt/share/local/data", None),
        ("/mnt/with space", "nfs4"),
        ("/data/attachments", "fuse.blobfuse2"),
    ],
)
def test_the_innermost_and_last_mount_says_which_kind_it_is(mounts: Path, path: str, kind: str | None) -> None:
    assert find_network_file_system(Path(path), mounts) == kind


def test_without_a_table_of_mounts_nothing_is_known(tmp_path: Path) -> None:
    assert find_network_file_system(tmp_path, tmp_path / "missing") is None


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:////mnt/share/parlor.db", "sqlite+aiosqlite:////data/new/x.db?a=b"])
def test_sqlite_on_a_network_file_system_is_refused_with_the_way_out(mounts: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"network file system \((cifs|fuse.blobfuse2)\).*PostgreSQL"):
        refuse_network_file_system(url, mounts)


@pytest.mark.parametrize(
    "url",
    ["sqlite+aiosqlite:////var/parlor.db", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:",
     "postgresql+psycopg://server/mnt/share"],
)  # fmt: skip
def test_all_else_may_lie_where_it_does(mounts: Path, url: str) -> None:
    refuse_network_file_system(url, mounts)
