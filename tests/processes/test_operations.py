"""Operations on a running server: backup, restore, and a shutdown that a load balancer notices."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.processes.server_process import PATIENCE_S, ROOT, Story, running


async def _parlor(folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "main", *arguments]
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT)
    async with asyncio.timeout(PATIENCE_S):
        output, _ = await process.communicate()
    assert process.returncode == 0, output
    return output.decode()


async def test_a_running_server_is_backed_up_restored_and_seen_to_end(tmp_path: Path) -> None:
    async with running(tmp_path, SHUTDOWN_DELAY_S="2", OFFLINE_TOKEN_DELAY_MS="0") as server:
        story = Story()
        await server.read(story, "count to 3")
        kept = await server.items(story.thread_id)
        await _parlor(tmp_path, "backup", str(tmp_path / "backup.tar.gz"))
        await server.ask("threads.delete", thread_id=story.thread_id)
        assert (await server.ask("threads.get_by_id", thread_id=story.thread_id)).status_code == 404
        await _parlor(tmp_path, "restore", str(tmp_path / "backup.tar.gz"))
        assert await server.items(story.thread_id) == kept

        assert "connection" not in (await server.get("/readyz")).headers
        server.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            # One that is being answered when the signal arrives may be a 200 that closes its connection.
            while (told := await server.get("/readyz")).status_code == 200:
                pass
        # A proxy lets go of its connections, before they are ended under a request of its.
        assert told.headers["connection"] == "close"
        late = Story()
        await server.read(late, "count to 4")  # a balancer that does not know yet
        assert "1 2 3 4" in late.text
        assert await server.exit_code() == 0
