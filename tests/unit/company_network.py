"""A simulated company network: a proxy for all connections, and a server whose certificate a private authority signed.

Sources: RFC 9110, 9.3.6 (CONNECT); RFC 5280, 4.2.1.6 and 4.2.1.9 (names and authorities in certificates).
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import ssl
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "inside.example"
ANSWER = b'{"hello": "from inside"}'
SIGN_IN_HOST = "login.microsoftonline.com"
TENANT = "0a1b2c3d-0000-4000-8000-000000000000"
# The discovery document and a token. Sources: OpenID Connect Discovery 1.0, 4.2; RFC 6749, 5.1.
_SIGN_IN = {
    "issuer": f"https://{SIGN_IN_HOST}/{TENANT}/v2.0",
    "authorization_endpoint": f"https://{SIGN_IN_HOST}/{TENANT}/oauth2/v2.0/authorize",
    "token_endpoint": f"https://{SIGN_IN_HOST}/{TENANT}/oauth2/v2.0/token",
}
_TOKEN = {"token_type": "Bearer", "expires_in": 3600, "access_token": "a token from inside"}


class CompanyNetwork:
    """A proxy and a server on ports of their own; the proxy connects every host name to the server.

    Attributes:
        authority: File with the certificate of the company's authority.
        tunnels: Targets of the proxy's connections, as `host:port`.
        paths: Paths of the requests to the server.
        bodies: Bodies of the requests.
        keys: `Authorization` headers of the requests.
        proxy_url: Address of the proxy.
        port: Port of the server, for connections without the proxy.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "authority.pem"
        self.tunnels: list[str] = []
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.keys: list[str] = []
        self.proxy_url = ""
        self.port = 0
        self._chain = folder / "server.pem"
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._make_certificates)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self._chain)
        server = await self._open.enter_async_context(await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls))
        proxy = await self._open.enter_async_context(await asyncio.start_server(self._serve_tunnel, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self.proxy_url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self.paths.append(path)
            self.keys += re.findall(r"(?im)^authorization: *(.+?)\r$", head.decode())
            if length := re.search(rb"(?im)^content-length: *(\d+)", head):
                self.bodies.append(await reader.readexactly(int(length[1])))
            answer = ANSWER
            if TENANT in path:
                answer = json.dumps(_TOKEN if path.endswith("/token") else _SIGN_IN).encode()
            body = b"" if head.startswith(b"HEAD ") else answer
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b'ETag: "1"\r\nLast-Modified: Sun, 29 Nov 2026 02:00:00 GMT\r\n'
                b"Content-Length: %d\r\n\r\n%b" % (len(answer), body)
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # a client that does not trust the certificate disconnects
        finally:
            writer.close()

    async def _serve_tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.decode().split(" ", 2)
            if method != "CONNECT":
                writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            self.tunnels.append(target)
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_copy_stream(reader, inner_writer), _copy_stream(inner_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _make_certificates(self) -> None:
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the company")])
        now = datetime.now(UTC)

        def begin(name: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
            return (
                x509.CertificateBuilder(issuer_name=authority_name, subject_name=name, public_key=public_key)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - timedelta(hours=1))
                .not_valid_after(now + timedelta(hours=1))
            )

        authority = begin(authority_name, authority_key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        hosts = [x509.DNSName(HOST), x509.DNSName(SIGN_IN_HOST)]
        names = x509.SubjectAlternativeName([*hosts, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        server = begin(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), key.public_key()).add_extension(
            names, critical=False
        )
        self.authority.write_bytes(authority.sign(authority_key, SHA256()).public_bytes(Encoding.PEM))
        self._chain.write_bytes(
            server.sign(authority_key, SHA256()).public_bytes(Encoding.PEM)
            + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )


class MachineIdentity:
    """The endpoint of a managed identity in Azure Container Apps.

    Source: Azure's documentation of managed identities for App Service, "REST endpoint reference".

    Attributes:
        url: Address of the endpoint.
        asked: Heads of the requests.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        server = await self._open.enter_async_context(await asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/msi/token"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        until = str(int(datetime.now(UTC).timestamp()) + 3600)
        body = json.dumps({**_TOKEN, "access_token": "a token of the machine", "expires_on": until, "resource": "r"})
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}"
        writer.write(f"{head}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()


async def _copy_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
