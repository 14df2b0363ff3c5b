"""An exported workflow in the whole product: imported, loaded, and answering through a provider stub."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import use_cases
from base_server import BaseChatKitServer
from config import Settings
from context import Services
from main import build_platform
from process.workflow_import import import_workflow
from tests.unit.harness import Chat
from tests.unit.provider_stub import Answer, ProviderStub, Received, Responses
from tests.unit.provider_stub import Chat as Completions

EXPORTED = Path(__file__).with_name("exported")
PROTOCOLS: dict[str, Any] = {"openai": Responses, "compatible": Completions}


@dataclass(frozen=True)
class Imported:
    """A running workflow; `answers` builds the answers of the provider in its protocol."""

    stub: ProviderStub
    server: BaseChatKitServer
    services: Services
    answers: Any

    def chat(self, user: str = "ada") -> Chat:
        return Chat(self.server, user=user)

    def will_say(self, *texts: str | Answer) -> None:
        self.stub.will(*(each if isinstance(each, Answer) else self.answers.text(each) for each in texts))

    def asked(self) -> list[str]:
        """Return the requests to the provider, as JSON."""
        return [json.dumps(each.body, ensure_ascii=False) for each in self.stub.requests]


def settings_of(folder: Path, provider: str, url: str, **more: Any) -> Settings:
    own = {
        "openai": {"openai_api_key": "sk-test", "openai_base_url": url, "openai_model": "configured"},
        "compatible": {"compatible_base_url": url, "compatible_model": "configured"},
        "offline": {},
    }[provider]
    return Settings(  # type: ignore[call-arg]
        _env_file=None,
        data_dir=folder / "data",
        model_provider=provider,
        thread_titles="first_message",
        model_max_retries=0,
        use_cases_path=str(folder),
        **{**own, **more},
    )


@asynccontextmanager
async def imported(
    folder: Path, file: str | Path, provider: str = "openai", name: str | None = None, **settings: Any
) -> AsyncIterator[Imported]:
    """Import a file and start the platform with it; its modules are unloaded at the end."""
    path = EXPORTED / f"{file}.py" if isinstance(file, str) else file
    # A unique name, since Python caches the modules of use cases by name.
    name = name or f"flow_{uuid4().hex[:8]}"
    if not (folder / name).exists():
        import_workflow(path, name, folder, [folder])
    search_path, modules = list(use_cases.__path__), set(sys.modules)
    try:
        async with ProviderStub() as stub:
            platform = build_platform(settings_of(folder, provider, stub.url, **settings))
            async with platform.lifecycle.running():
                loaded = await platform.lifecycle.wait_until_started(60)
                assert name in loaded.enabled, loaded.disabled
                server = loaded.enabled[name].server
                assert isinstance(server, BaseChatKitServer)
                yield Imported(stub, server, platform.services, PROTOCOLS.get(provider))
    finally:
        use_cases.__path__[:] = search_path
        for each in set(sys.modules) - modules:
            if each.startswith("use_cases."):
                del sys.modules[each]


def sent_messages(request: Received) -> list[tuple[str, str]]:
    """Return the role and text of each message in a request to a provider, in either protocol."""
    messages = []
    for item in request.body.get("input") or request.body.get("messages") or ():
        content = item.get("content")
        if isinstance(content, list):
            content = " ".join(part.get("text") or f"[{part['type']}]" for part in content)
        messages.append((item.get("role") or item["type"], content or ""))
    return messages
