"""A company's proxy and certificate authority: the usual variables apply to all outgoing connections."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from mcp.shared._httpx_utils import create_mcp_http_client
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from chat_clients.http.provider_connection import ProviderConnection
from config import load_settings
from databases.azure_sign_in import build_machine_token_getter
from files.object_store import open_object_store
from framework.outgoing import prepare_environment, prepare_sign_in
from tests.unit.company_network import ANSWER, HOST, SIGN_IN_HOST, TENANT, CompanyNetwork, MachineIdentity

Ask = Callable[[str], Awaitable[None]]


async def ask_model(url: str) -> None:
    connection = ProviderConnection(url, max_retries=0)
    try:
        assert await connection.post_file("/speech", ("a.wav", b"RIFF", "audio/wav"), {}) == {"hello": "from inside"}
    finally:
        await connection.close()


async def ask_by_httpx(url: str) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/weather")).content == ANSWER


async def ask_mcp(url: str) -> None:
    async with create_mcp_http_client() as client:
        assert (await client.get(f"{url}/mcp")).content == ANSWER


async def ask_bucket(url: str) -> None:
    store = open_object_store(f"s3://bucket/files?endpoint={url}&region=eu-west-1", Path())
    assert await store.size_of("one") == len(ANSWER)


async def ask_collector(url: str) -> None:
    span = TracerProvider().get_tracer("parlor").start_span("answer")
    span.end()
    assert isinstance(span, ReadableSpan)
    exporter = OTLPSpanExporter(f"{url}/v1/traces")
    assert await asyncio.to_thread(exporter.export, [span]) is SpanExportResult.SUCCESS


ASKING = {
    "model": ask_model, "use case": ask_by_httpx, "MCP": ask_mcp, "bucket": ask_bucket, "collector": ask_collector,
}  # fmt: skip


@pytest.fixture
async def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CompanyNetwork]:
    async with CompanyNetwork(tmp_path) as company:
        for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("HTTPS_PROXY", company.proxy_url)
        monkeypatch.setenv("SSL_CERT_FILE", str(company.authority))
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "OTEL_EXPORTER_OTLP_CERTIFICATE"):
            monkeypatch.setenv(name, "")  # put back afterwards, whoever sets it
            monkeypatch.delenv(name)
        prepare_environment()
        yield company


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
async def test_outgoing_requests_use_the_proxy_and_the_companys_authority(network: CompanyNetwork, ask: Ask) -> None:
    await ask(f"https://{HOST}")
    assert network.tunnels == [f"{HOST}:443"]
    assert len(network.paths) == 1


@pytest.mark.parametrize("exempt", ["127.0.0.1", "other.example, 127.0.0.1", "*", "other.example, *"])
@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
async def test_exempt_hosts_bypass_the_proxy(
    network: CompanyNetwork, monkeypatch: pytest.MonkeyPatch, ask: Ask, exempt: str
) -> None:
    monkeypatch.setenv("NO_PROXY", exempt)
    prepare_environment()
    await ask(f"https://127.0.0.1:{network.port}")
    assert network.tunnels == []
    assert len(network.paths) == 1


@pytest.mark.parametrize("ask", [ask_model, ask_by_httpx, ask_mcp], ids=["model", "use case", "MCP"])
async def test_nobody_else_is_trusted_without_the_variable(
    network: CompanyNetwork, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Exception, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
        await ask(f"https://{HOST}")
    assert network.paths == []


@pytest.mark.parametrize("exempt", ["127.0.0.0/8", "10.0.0.0/8,127.0.0.0/16", "nonsense/8,127.0.0.1/32"])
@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
async def test_a_network_that_needs_no_proxy_is_understood(
    network: CompanyNetwork, monkeypatch: pytest.MonkeyPatch, ask: Ask, exempt: str
) -> None:
    monkeypatch.setenv("NO_PROXY", exempt)
    monkeypatch.setenv("SHELF_URL", f"https://127.0.0.1:{network.port}/mcp")
    prepare_environment()
    await ask(f"https://127.0.0.1:{network.port}")
    assert network.tunnels == []


@pytest.mark.parametrize("is_in_file", [False, True], ids=["variable", "file"])
async def test_the_sign_in_at_azure_uses_the_proxy_and_the_companys_authority(
    network: CompanyNetwork, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_in_file: bool
) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", "app")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "what only the app knows")
    if is_in_file:
        monkeypatch.delenv("AZURE_CLIENT_SECRET")
        (tmp_path / "secret").write_text("what only the app knows\n")
        monkeypatch.setenv("AZURE_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    prepare_sign_in(load_settings(data_dir=tmp_path).storage_keys.get("AZURE_CLIENT_SECRET"))
    assert await asyncio.to_thread(build_machine_token_getter()) == "a token from inside"
    assert set(network.tunnels) == {f"{SIGN_IN_HOST}:443"}
    assert network.paths[-1] == f"/{TENANT}/oauth2/v2.0/token"
    assert parse_qs(network.bodies[-1].decode())["client_secret"] == ["what only the app knows"]


async def test_a_machine_is_asked_who_it_is_without_the_proxy_and_opens_database_and_files_with_that(
    network: CompanyNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MachineIdentity() as machine:
        monkeypatch.setenv("HTTP_PROXY", network.proxy_url)
        monkeypatch.setenv("IDENTITY_ENDPOINT", machine.url)
        monkeypatch.setenv("IDENTITY_HEADER", "only this machine knows it")
        monkeypatch.setenv("AZURE_CLIENT_ID", "its-identity")
        prepare_environment()
        assert await asyncio.to_thread(build_machine_token_getter()) == "a token of the machine"
        store = open_object_store(f"az://container/files?account=ada&endpoint=https://{HOST}", Path())
        assert await store.size_of("one") == len(ANSWER)
    assert network.keys == ["Bearer a token of the machine"]
    assert network.tunnels == [f"{HOST}:443"]
    assert len(machine.asked) == 2
    for head in machine.asked:
        assert re.search(r"(?im)^x-identity-header: only this machine knows it\r$", head)
        assert "client_id=its-identity" in head.partition("\r\n")[0]


def test_where_there_is_a_proxy_the_machine_itself_is_past_it() -> None:
    machine = "localhost,127.0.0.1,::1,169.254.169.254,169.254.170.2,169.254.170.23"
    for said, meant in (
        ({"HTTPS_PROXY": "p"}, {"NO_PROXY": machine}),
        ({"http_proxy": "p", "no_proxy": ".intranet, localhost"}, {"no_proxy": f".intranet,{machine}"}),
        ({"ALL_PROXY": "p", "NO_PROXY": "*"}, {"ALL_PROXY": None}),
        ({"NO_PROXY": ".intranet"}, {"NO_PROXY": ".intranet"}),
    ):
        prepared = dict(said)
        prepare_environment(prepared)
        assert {name: prepared.get(name) for name in meant} == meant


def test_values_set_by_operators_stay() -> None:
    said = {
        "SSL_CERT_FILE": "/all.pem", "REQUESTS_CA_BUNDLE": "/own.pem", "NO_PROXY": "10.0.0.0/8, .intranet",
        "A": "http://10.1.2.3:9000/mcp", "B": "https://11.1.2.3", "C": "http://[::1", "D": "https://shop.example",
    }  # fmt: skip
    prepared = dict(said)
    prepare_environment(prepared)
    assert {name: value for name, value in prepared.items() if said.get(name) != value} == {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "/all.pem",
        "NO_PROXY": "10.0.0.0/8,.intranet,10.1.2.3",
    }
    untouched = {"NO_PROXY": ""}
    prepare_environment(untouched)
    assert untouched == {"NO_PROXY": ""}
