"""A scripted HTTP client that runs inside a container without a network, and prints the responses.

It runs in the container's Python, with the standard library only.
"""

import http.client
import json
import sys

TIMEOUT_S = 60


def main() -> None:
    """Run the steps of the task in the first argument."""
    task = json.loads(sys.argv[1])
    cookie = task.get("cookie", "")
    seen: dict[str, object] = {}
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=TIMEOUT_S)

    def ask(method: str, path: str, body: object = None, **headers: str) -> http.client.HTTPResponse:
        nonlocal cookie
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if cookie:
            headers["Cookie"] = cookie
        if data is not None and not isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        if given := response.getheader("Set-Cookie"):
            cookie = given.partition(";")[0]
        return response

    def chat(use_case: str, type_: str, **params: object) -> str:
        return ask("POST", f"/chatkit/{use_case}", {"type": type_, "params": params}).read().decode()

    def say(use_case: str, text: str) -> str:
        content = [{"type": "input_text", "text": text}]
        return chat(use_case, "threads.create", input={"content": content, "attachments": [], "inference_options": {}})

    for step in task["steps"]:
        name, *arguments = step
        if name == "get":
            response = ask("GET", arguments[0])
            seen[arguments[0]] = [response.status, response.read().decode("utf-8", "replace")]
        elif name == "say":
            seen[arguments[1]] = say(*arguments)
        elif name == "threads":
            seen[f"threads {arguments[0]}"] = len(json.loads(chat(arguments[0], "threads.list", limit=50))["data"])
        elif name == "upload":
            data = arguments[1].encode()
            made = json.loads(
                chat(arguments[0], "attachments.create", name="note.txt", size=len(data), mime_type="text/plain")
            )
            where = made["upload_descriptor"]
            path = "/" + where["url"].split("/", 3)[3]
            sent = ask(where["method"], path, data, **{**where.get("headers", {}), "Content-Type": "text/plain"})
            sent.read()
            got = ask("GET", f"/api/attachments/{made['id']}/file")
            seen["upload"] = [sent.status, got.status, got.read().decode()]
        elif name == "file":
            seen["file"] = ask("GET", f"/api/attachments/{arguments[0]}/file").read().decode()
    print(json.dumps({"cookie": cookie, "seen": seen}))


main()
