"""A stand-in for Google Cloud Storage in memory: the part of its XML API that an object store client uses.

It authenticates requests as Google does: by self-signed tokens of an account, and by signed URLs that expire.
Sources: "XML API" of Cloud Storage, "Object requests", "List objects", "Multipart uploads" and "V4 signing process";
"Self-signed JWTs" of Google's identity platform.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

EMAIL = "parlor@stand-in.example"
HOST = "storage.googleapis.com"
ALGORITHM = "GOOG4-RSA-SHA256"
SMALLEST_PART_BYTES = 5 * 1024 * 1024
"""Minimum size of all parts of an upload but the last."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    public_key: rsa.RSAPublicKey
    objects: dict[str, bytes]
    parts: dict[str, dict[int, bytes]]

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"Content-Length": str(len(body)), "Last-Modified": self.date_time_string()}
        for name, value in (usual | named).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = unquote(url.path).lstrip("/")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not (self._is_signed(url.path, query) if "X-Goog-Signature" in query else self._is_token(token)):
            self._answer(403)
        elif self.command == "PUT":
            self._put(key, query, body)
        elif self.command == "POST":
            self._post(key, query, body)
        elif self.command == "DELETE":
            found = self.parts.pop(query["uploadId"], None) if "uploadId" in query else self.objects.pop(key, None)
            self._answer(404 if found is None else 204)
        elif "/" not in key:
            self._list(key, query)
        else:
            self._get(key)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _is_token(self, token: str) -> bool:
        """Return whether the account has signed a token that has not expired. Source: RFC 7515, 7.1."""
        signed, _, signature = token.rpartition(".")
        if not self._is_ours(signed.encode(), _from_base64(signature)):
            return False
        claims = json.loads(_from_base64(signed.partition(".")[2]))
        return bool(claims["iss"] == claims["sub"] == EMAIL and claims["iat"] - 60 < time.time() < claims["exp"])

    def _is_signed(self, path: str, query: dict[str, str]) -> bool:
        """Return whether the account has signed this very request by its URL, which has not expired."""
        began = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        age_s = (datetime.now(UTC) - began).total_seconds()
        email, _, scope = query["X-Goog-Credential"].partition("/")
        if query["X-Goog-Algorithm"] != ALGORITHM or email != EMAIL or not -60 < age_s < int(query["X-Goog-Expires"]):
            return False
        named = {name: value for name, value in query.items() if name != "X-Goog-Signature"}
        names = query["X-Goog-SignedHeaders"]
        # The library signs for Google's own host, whatever stands in for it.
        told = {name.lower(): text.strip() for name, text in self.headers.items()} | {"host": HOST}
        headers = "".join(f"{name}:{told.get(name, '')}\n" for name in names.split(";"))
        canonical = "\n".join(
            (self.command, path, urlencode(sorted(named.items()), quote_via=quote, safe=""), headers, names,
             "UNSIGNED-PAYLOAD")
        )  # fmt: skip
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = "\n".join((ALGORITHM, query["X-Goog-Date"], scope, digest))
        return self._is_ours(to_sign.encode(), bytes.fromhex(query["X-Goog-Signature"]))

    def _is_ours(self, data: bytes, signature: bytes) -> bool:
        try:
            self.public_key.verify(signature, data, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    def _put(self, key: str, query: dict[str, str], body: bytes) -> None:
        if "uploadId" in query:
            self.parts[query["uploadId"]][int(query["partNumber"])] = body
        else:
            self.objects[key] = body
        self._answer(200, ETag=_tag(body))

    def _post(self, key: str, query: dict[str, str], body: bytes) -> None:
        if "uploads" in query:
            upload = hashlib.sha256(f"{key}{len(self.parts)}".encode()).hexdigest()
            self.parts[upload] = {}
            self._answer(200, _xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>"))
            return
        parts = self.parts.pop(query["uploadId"])
        numbers = [int(each) for each in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
        if any(len(parts[each]) < SMALLEST_PART_BYTES for each in numbers[:-1]) or numbers != sorted(numbers):
            self._answer(400, _xml("Error", "<Code>EntityTooSmall</Code>"))
            return
        self.objects[key] = b"".join(parts[each] for each in numbers)
        self._answer(200, _xml("CompleteMultipartUploadResult", f"<ETag>{_tag(self.objects[key])}</ETag>"))

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        found = sorted(key for key in self.objects if key.startswith(f"{bucket}/{query.get('prefix', '')}"))
        entries = "".join(
            f"<Contents><Key>{escape(key.partition('/')[2])}</Key><LastModified>{_now()}</LastModified>"
            f"<ETag>{_tag(self.objects[key])}</ETag><Size>{len(self.objects[key])}</Size></Contents>"
            for key in found
        )
        self._answer(200, _xml("ListBucketResult", f"<IsTruncated>false</IsTruncated>{entries}"))

    def _get(self, key: str) -> None:
        data = self.objects.get(key)
        if data is None:
            self._answer(404)
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, end = (int(asked[1]), int(asked[2]) + 1 if asked[2] else len(data)) if asked else (0, len(data))
        part = data[start:end]
        place = {"Content_Range": f"bytes {start}-{start + len(part) - 1}/{len(data)}"} if asked else {}
        self._answer(206 if asked else 200, part, ETag=_tag(data), **place)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _now() -> str:
    """Return the modification time of every object: the sweeper would take an old one for abandoned."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _from_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _xml(name: str, content: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?><{name}>{content}</{name}>".encode()


def create_service_account(path: Path) -> None:
    """Write the key of a service account as Google gives one: with it, requests and URLs are signed here."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "client_email": EMAIL, "private_key_id": "1"}
    path.write_text(json.dumps({**account, "private_key": encoded}), encoding="utf-8")


@contextmanager
def serve_google_storage(account: Path) -> Iterator[str]:
    """Serve an empty store in which every bucket exists and belongs to the account; yield its address."""
    key = load_pem_private_key(json.loads(account.read_text(encoding="utf-8"))["private_key"].encode(), None)
    handler = type("Handler", (_Handler,), {"objects": {}, "parts": {}, "public_key": key.public_key()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
