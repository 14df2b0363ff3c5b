"""The warm-up imports and builds what the first answer needs, and little else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

CHECK = """
import asyncio, inspect, json, sys
from pathlib import Path
from agent_framework import Agent
from chatkit import types, widgets
from pydantic import BaseModel
import main, web.application
from base_server import BaseChatKitServer
from framework.warm_up import warm_up
from tests.unit.harness import Chat
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services

class Plain(BaseChatKitServer):
    def get_agent(self, turn):
        return Agent(self.chat_client)

def unready():
    models = {m for module in (types, widgets) for m in vars(module).values() if inspect.isclass(m)}
    return sorted(m.__name__ for m in models - {BaseModel} if issubclass(m, BaseModel) and not m.__pydantic_complete__)

SELDOM = {"azure", "jsonschema", "openpyxl", "opentelemetry.sdk", "prometheus_client", "psycopg", "pydantic.v1"}
SELDOM |= {"pypdf"}

async def check():
    before = unready()
    pieces = sum(1 for _ in warm_up())
    after = unready()
    async with open_services(Path(sys.argv[1]), ScriptedModel(turns=[says("Hello.")])) as services:
        known = set(sys.modules)
        await Chat(Plain(services)).send("Hello")
        late = sorted(name for name in set(sys.modules) - known if name.startswith(("agent_framework", "chatkit")))
    print(json.dumps({"before": before, "after": after, "late": late, "needless": sorted(SELDOM & set(sys.modules)),
                      "pieces": pieces}))

asyncio.run(check())
"""


def test_the_first_answer_finds_everything_ready(tmp_path: Path) -> None:
    # In a process of its own: in this one other tests have used it all already.
    command = [sys.executable, "-W", "ignore", "-c", CHECK, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["before"]) > 20
    assert found["pieces"] > len(found["before"]) - 2, "each a stop of its own"
    assert found["after"] == ["BoxBase", "SyncCustomActionResponse"], "a megabyte each, and no answer makes one"
    assert found["late"] == []
    assert found["needless"] == [], "imported at the start: import it where it is used"
