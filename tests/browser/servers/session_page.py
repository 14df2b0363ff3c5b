"""A third-party page with its own session route, as in apps for OpenAI's hosted chat."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>A shop</title>
<script src="{parlor}/static/dist/chatkit.js"></script>
<style>html, body {{ height: 100%; margin: 0 }} openai-chatkit {{ display: block; height: 600px }}</style>
</head>
<body>
<openai-chatkit></openai-chatkit>
<script>
const chat = document.querySelector('openai-chatkit');
window.renewals = [];
chat.addEventListener('chatkit.thread.change', event => {{
  if (event.detail.threadId) localStorage.thread = event.detail.threadId;
}});
chat.setOptions({{
  api: {{
    async getClientSecret(current) {{
      if (current) window.renewals.push(current);
      const answer = await fetch('/api/create-session', {{method: 'POST'}});
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()).client_secret;
    }},
  }},
  initialThread: localStorage.thread ?? null,
}});
</script>
</body>
</html>
"""


class SessionPage:
    """The page and its server.

    Args:
        parlor: The address of the platform.
        key: A server key of the platform.

    Attributes:
        is_signed_in: Whether the person is signed in at the page's server.
        sessions: The sessions that the platform has created, oldest first.
    """

    def __init__(self, parlor: str, key: str) -> None:
        self._parlor = parlor
        self._headers = {"Authorization": f"Bearer {key}", "OpenAI-Beta": "chatkit_beta=v1"}
        self.is_signed_in = True
        self.sessions: list[dict[str, str]] = []
        self.app = Starlette(
            routes=[Route("/", self._show), Route("/api/create-session", self._create, methods=["POST"])]
        )

    def post(self, path: str, body: object) -> httpx.Response:
        """Send a request to the platform with the server key."""
        return httpx.post(f"{self._parlor}{path}", json=body, headers=self._headers, trust_env=False, timeout=300)

    def end_session(self) -> None:
        """Cancel the latest session."""
        assert self.post(f"/v1/chatkit/sessions/{self.sessions[-1]['id']}/cancel", {}).status_code == 200

    async def _show(self, _request: Request) -> Response:
        return HTMLResponse(PAGE.format(parlor=self._parlor))

    async def _create(self, _request: Request) -> Response:
        if not self.is_signed_in:
            return JSONResponse({"error": "signed out"}, 401)
        body = {"workflow": {"id": "weather"}, "user": "ada"}
        answer = await run_in_threadpool(self.post, "/v1/chatkit/sessions", body)
        if answer.status_code == 200:
            self.sessions.append(answer.json())
        return Response(answer.content, answer.status_code, media_type="application/json")
