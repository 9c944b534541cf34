"""Who is let in, on real sockets: tokens, scopes, certificates, rate limits, refusal to start."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import trustme
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from aftershock.guard import protocol, safeguard_protocol
from aftershock_collector.access.exposure import NOTICE, Exposed, exposure_warning, notice
from aftershock_collector.access.middleware import permission_for
from aftershock_collector.access.tls import TlsError
from aftershock_collector.access.tokens import Scope, Tokens
from aftershock_collector.config.model import Address, Config, Tls
from aftershock_collector.service.wiring import Running, running
from tests.support.otlp_sender import recorded_spans
from tests.support.traffic import looping_run, span_request

PROTOBUF = "application/x-protobuf"
BODY = span_request(looping_run(random.Random(1)).spans)
EVERYWHERE = Address("0.0.0.0", 0)
HERE = Address("127.0.0.1", 0)
ALERTS = b'[{"labels": {"alertname": "Down"}}]'
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_grpc: Any = grpc


@asynccontextmanager
async def collector(
    home: Path, *, bound: Address = EVERYWHERE, **changes: Any
) -> AsyncGenerator[tuple[Running, httpx.AsyncClient]]:
    config = replace(Config(home, http=bound, grpc=bound, tick_s=0.05), **changes)
    async with (
        running(config) as up,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{up.http.port}", timeout=30) as client,
    ):
        yield up, client


def token(home: Path, *scopes: Scope, name: str = "ci") -> dict[str, str]:
    """A header with a new token."""
    _, secret = Tokens(home / "tokens.json").create(name, scopes)
    return {"authorization": f"Bearer {secret}"}


async def status(client: httpx.AsyncClient, way: str, headers: dict[str, str]) -> int:
    """The answer to one use of a scope."""
    json = {"content-type": "application/json"} | headers
    match way:
        case "ingest":
            protobuf = {"content-type": PROTOBUF} | headers
            response = await client.post("/v1/traces", content=BODY, headers=protobuf)
        case "alerts":
            response = await client.post("/api/v2/alerts", content=ALERTS, headers=json)
        case "read":
            response = await client.get("/metrics", headers=headers)
        case "control":
            response = await client.post("/anything", content=b"{}", headers=json)
        case _:
            response = await client.get("/healthz", headers=headers)
    return response.status_code


WAYS = ("ingest", "alerts", "read", "control", "health")


def test_off_loopback_it_does_not_start_without_tokens(tmp_path: Path) -> None:
    async def start(**changes: Any) -> None:
        async with collector(tmp_path, **changes):
            pass

    with pytest.raises(Exposed, match="aftershock token create"):
        asyncio.run(start())
    with pytest.raises(Exposed, match=r"127\.0\.0\.1"):
        asyncio.run(start(http=HERE))
    asyncio.run(start(bound=HERE))
    asyncio.run(start(insecure=True))
    token(tmp_path, Scope.INGEST)
    asyncio.run(start())


def test_off_loopback_each_scope_opens_its_own_door_and_no_other(tmp_path: Path) -> None:
    tokens = {scope: token(tmp_path, scope, name=scope) for scope in Scope}

    async def ask() -> dict[str, list[int]]:
        async with collector(tmp_path) as (_, client):
            return {
                scope: [await status(client, way, headers) for way in WAYS]
                for scope, headers in ({"none": {}} | tokens).items()
            }

    assert asyncio.run(ask()) == {
        "none": [401, 401, 401, 401, 200],
        "ingest": [200, 403, 403, 403, 200],
        "alerts": [403, 200, 403, 403, 200],
        "read": [403, 403, 200, 403, 200],
        "answer": [403, 403, 403, 403, 200],
        "control": [403, 403, 403, 404, 200],
    }


def test_on_loopback_ingest_and_read_need_no_token_and_alerts_do_once_there_is_one(
    tmp_path: Path,
) -> None:
    async def ask(headers: dict[str, str]) -> list[int]:
        async with collector(tmp_path, bound=HERE) as (_, client):
            return [await status(client, way, headers) for way in WAYS]

    assert asyncio.run(ask({})) == [200, 200, 200, 404, 200]
    alerts = token(tmp_path, Scope.ALERTS)
    assert asyncio.run(ask({})) == [200, 401, 200, 404, 200]
    assert asyncio.run(ask(alerts)) == [403, 200, 403, 403, 200]


@pytest.mark.parametrize(
    "value", ["Bearer nonsense", "Bearer", "Basic YTpi", "nonsense", "", "Bearer \xff\xfe"]
)
def test_a_wrong_credential_is_refused_even_on_loopback(tmp_path: Path, value: str) -> None:
    async def ask() -> list[int]:
        async with collector(tmp_path, bound=HERE) as (_, client):
            headers: Any = {"authorization": value.encode("latin-1")}
            return [await status(client, way, headers) for way in ("ingest", "read")]

    assert asyncio.run(ask()) == [401, 401]


def test_a_revoked_token_is_refused_within_two_seconds(tmp_path: Path) -> None:
    headers = token(tmp_path, Scope.INGEST)
    tokens = Tokens(tmp_path / "tokens.json")

    async def ask() -> list[int]:
        async with collector(tmp_path) as (_, client):
            before = await status(client, "ingest", headers)
            tokens.revoke(tokens.all()[0].id)
            await asyncio.sleep(1.1)
            return [before, await status(client, "ingest", headers)]

    assert asyncio.run(ask()) == [200, 401]


def test_the_real_exporters_send_with_a_token_and_not_without(tmp_path: Path) -> None:
    headers = token(tmp_path, Scope.INGEST)

    def export(up: Running) -> list[SpanExportResult]:
        url = f"http://127.0.0.1:{up.http.port}/v1/traces"
        target = f"127.0.0.1:{up.grpc.port}"
        made: list[Any] = [
            OTLPSpanExporter(url, headers=headers),
            OTLPSpanExporter(url, timeout=2),
            GrpcExporter(target, insecure=True, headers=tuple(headers.items())),
            GrpcExporter(target, insecure=True, timeout=2),
        ]
        return [exporter.export(recorded_spans(1)) for exporter in made]

    async def send() -> list[SpanExportResult]:
        async with collector(tmp_path) as (up, _):
            return await asyncio.to_thread(export, up)

    good, bad = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
    assert asyncio.run(send()) == [good, bad, good, bad]


@pytest.mark.parametrize(
    ("scope", "code"),
    [(None, "UNAUTHENTICATED"), (Scope.READ, "PERMISSION_DENIED"), (Scope.INGEST, "OK")],
)
def test_grpc_asks_for_the_same_tokens(tmp_path: Path, scope: Scope | None, code: str) -> None:
    metadata = tuple(token(tmp_path, scope).items()) if scope else ()
    token(tmp_path, Scope.ALERTS)

    def call(port: int) -> str:
        with _grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            try:
                channel.unary_unary(EXPORT)(BODY, timeout=10, metadata=metadata)
            except grpc.RpcError as error:
                return str(error.code().name)  # type: ignore[attr-defined]
        return "OK"

    async def send() -> str:
        async with collector(tmp_path) as (up, _):
            return await asyncio.to_thread(call, up.grpc.port)

    assert asyncio.run(send()) == code


def test_a_sender_that_sends_too_fast_is_slowed_and_others_are_not(tmp_path: Path) -> None:
    fast = token(tmp_path, Scope.INGEST, name="fast")
    slow = token(tmp_path, Scope.INGEST, name="slow")

    async def send() -> tuple[list[int], int, str]:
        async with collector(tmp_path, sender_requests_per_s_max=0.01) as (_, client):
            statuses = [await status(client, "ingest", fast) for _ in range(4)]
            protobuf = {"content-type": PROTOBUF} | fast
            refused = await client.post("/v1/traces", content=BODY, headers=protobuf)
            return statuses, await status(client, "ingest", slow), refused.headers["retry-after"]

    statuses, other, retry_after = asyncio.run(send())

    assert statuses == [200, 503, 503, 503]
    assert other == 200
    assert 1 <= int(retry_after) <= 100


# --- TLS -------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority and the files that it wrote."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority = trustme.CA()
        server = self.authority.issue_cert("localhost", "127.0.0.1")
        client = self.authority.issue_cert("agent-7.example", common_name="agent-7")
        self.ca, self.certificate, self.key = (folder / n for n in ("ca", "cert", "key"))
        self.client = folder / "client"
        self.authority.cert_pem.write_to_path(self.ca)
        server.cert_chain_pems[0].write_to_path(self.certificate)
        server.private_key_pem.write_to_path(self.key)
        client.private_key_and_cert_chain_pem.write_to_path(self.client)
        self.client_pem = (
            client.private_key_pem.bytes(),
            client.cert_chain_pems[0].bytes(),
        )


def test_both_servers_speak_tls_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they outrank the exporter's file
        monkeypatch.delenv(variable, raising=False)
    files = Authority(tmp_path / "tls")
    tls = Tls(files.certificate, files.key)
    root = files.ca.read_bytes()

    def export(up: Running) -> list[Any]:
        url = f"https://localhost:{up.http.port}/v1/traces"
        exporter = OTLPSpanExporter(url, certificate_file=str(files.ca))
        credentials = _grpc.ssl_channel_credentials(root)
        secured: Any = GrpcExporter(f"localhost:{up.grpc.port}", credentials=credentials)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://localhost:{up.http.port}/healthz")
        return [one.export(recorded_spans(1)) for one in (exporter, secured)]

    async def send() -> list[Any]:
        async with collector(tmp_path / "home", bound=HERE, tls=tls) as (up, _):
            return await asyncio.to_thread(export, up)

    (tmp_path / "home").mkdir()
    assert asyncio.run(send()) == [SpanExportResult.SUCCESS] * 2


def test_a_client_certificate_permits_to_send_and_names_the_sender(tmp_path: Path) -> None:
    files = Authority(tmp_path / "tls")
    tls = Tls(files.certificate, files.key, files.ca)
    home = tmp_path / "home"
    home.mkdir()

    def send_grpc(port: int) -> str:
        credentials = _grpc.ssl_channel_credentials(files.ca.read_bytes(), *files.client_pem)
        with _grpc.secure_channel(f"localhost:{port}", credentials) as channel:
            channel.unary_unary(EXPORT)(BODY, timeout=10)
        with (
            _grpc.secure_channel(
                f"localhost:{port}", _grpc.ssl_channel_credentials(files.ca.read_bytes())
            ) as channel,
            pytest.raises(grpc.RpcError) as caught,
        ):
            channel.unary_unary(EXPORT)(BODY, timeout=10)
        return str(caught.value.code().name)  # type: ignore[attr-defined]

    async def send() -> tuple[int, int, int, str]:
        import ssl

        context = ssl.create_default_context(cafile=str(files.ca))
        async with collector(home, tls=tls) as (up, _):
            base = f"https://localhost:{up.http.port}"
            async with httpx.AsyncClient(base_url=base, verify=context) as stranger:
                without = await status(stranger, "ingest", {})
            context.load_cert_chain(files.client)
            async with httpx.AsyncClient(base_url=base, verify=context) as agent:
                sent = await status(agent, "ingest", {})
                read = await status(agent, "read", {})
            return without, sent, read, await asyncio.to_thread(send_grpc, up.grpc.port)

    assert asyncio.run(send()) == (401, 200, 401, "UNAVAILABLE")


def test_a_certificate_that_cannot_be_used_is_an_error_at_the_start(tmp_path: Path) -> None:
    async def start(tls: Tls) -> None:
        async with collector(tmp_path, bound=HERE, tls=tls):
            pass

    with pytest.raises(TlsError, match=r"collector\.tls"):
        asyncio.run(start(Tls(tmp_path / "none", tmp_path / "none")))


def test_p15_an_insecure_collector_says_so_on_its_pages(tmp_path: Path) -> None:
    run = looping_run(random.Random(2))

    async def read(**changes: Any) -> list[bool]:
        async with collector(tmp_path, **changes) as (_, client):
            protobuf = {"content-type": PROTOBUF}
            await client.post("/v1/traces", content=span_request(run.spans), headers=protobuf)
            pages = [await client.get(path) for path in ("/", f"/runs/{run.run_id}")]
            return [NOTICE in page.text for page in pages]

    assert asyncio.run(read(insecure=True)) == [True, True]
    assert asyncio.run(read(bound=HERE)) == [False, False]


def test_p15_check_warns_of_what_others_can_reach(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    exposed = Config(tmp_path, http=EVERYWHERE)

    assert "aftershock token create" in (exposure_warning(exposed, tokens) or "")
    assert exposure_warning(replace(exposed, insecure=True), tokens) == NOTICE
    assert exposure_warning(Config(tmp_path), tokens) is None
    tokens.create("ci", [Scope.INGEST])
    assert exposure_warning(exposed, Tokens(tmp_path / "tokens.json")) is None


def test_the_notice_is_there_only_where_it_is_true(tmp_path: Path) -> None:
    assert notice(Config(tmp_path, http=EVERYWHERE, insecure=True))
    assert notice(Config(tmp_path, insecure=True)) is None
    assert notice(Config(tmp_path, http=EVERYWHERE)) is None


def test_everything_that_an_agents_process_asks_needs_no_more_than_its_own_token() -> None:
    """Found with a day's budgets and canaries, which had needed the permission to control."""
    paths = {
        value
        for module in (protocol, safeguard_protocol)
        for name, value in vars(module).items()
        if name.endswith("_PATH")
    }

    assert len(paths) > 8
    assert {
        path: permission_for("POST", path) for path in paths - {protocol.ORDERS_PATH}
    } == dict.fromkeys(paths - {protocol.ORDERS_PATH}, Scope.INGEST)
    assert permission_for("POST", protocol.ORDERS_PATH) is Scope.CONTROL
