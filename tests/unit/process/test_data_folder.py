"""The data folder: private to the user, and refused by name when it cannot be used."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from errors import ConfigError
from process.data_folder import describe_mode, prepare_data_folder
from process.log_lines import TextLines


@pytest.fixture(params=[0o000, 0o077, 0o777], ids=["umask 000", "umask 077", "umask 777"])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("_umask")
def test_a_new_folder_is_its_owners_alone_whatever_the_umask_says(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    attachments = prepare_data_folder(folder)
    assert (mode(folder), mode(attachments)) == (0o700, 0o700)


def test_our_files_in_a_shared_folder_are_private_and_the_folder_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    for name in ("secret.key", "parlor.db", "parlor.db-wal", "notes.txt"):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    (folder / "attachments").mkdir()
    (folder / "attachments").chmod(0o755)
    prepare_data_folder(folder)
    closed = {each.name: mode(each) for each in folder.iterdir()}
    assert closed == {
        "secret.key": 0o600, "parlor.db": 0o600, "parlor.db-wal": 0o600, "attachments": 0o700, "notes.txt": 0o644,
    }  # fmt: skip
    assert mode(folder) == 0o755, "it may be shared on purpose"
    assert "chmod 700" in "\n".join(TextLines().format(record) for record in caplog.records)
    folder.chmod(0o700)
    assert describe_mode(folder) == ""


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match="DATA_DIR") as raised:
            prepare_data_folder(folder)
        assert str(folder) in str(raised.value)
