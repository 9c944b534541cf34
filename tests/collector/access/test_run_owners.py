"""Whose run it is: other senders can't join, rename, end or approve it, on a whole collector."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes as names
from aftershock.model import Step, StepKind
from aftershock.policy.policy import EMPTY
from aftershock_collector.access.run_owners import RunOwners, apart
from aftershock_collector.access.tokens import Scope, Tokens
from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.service.wiring import Running, running
from aftershock_collector.store.reader import Reader
from tests.support.receiver import Receiver
from tests.support.traffic import attribute, log_request, span_request

HERE = Address("127.0.0.1", 0)
TRACE = bytes(range(16))
RUN = TRACE.hex()
ROOT, CALL = b"rootroot", b"callcall"
S = 10**9
T0 = 1_790_000_000 * S
OWNER, OTHER = "team-a", "team-b"
POLICY = {"tools": {"drop_*": {"gate": "ask", "tier": "destructive"}}}


def step(kind: StepKind = StepKind.TOOL_CALL, run_id: str = RUN) -> Step:
    return Step(run_id, "01" * 8, kind, "x", T0, T0 + S)


def span(tool: str, seconds: float, identity: bytes = b"", **own: str) -> Span:
    given = {names.OPERATION: "execute_tool", names.TOOL_NAME: tool, names.AGENT_NAME: "victim"}
    return _span(given | own, seconds, identity or random.Random(tool).randbytes(8))


def frame(agent: str, seconds: float, identity: bytes) -> Span:
    return _span({names.OPERATION: "invoke_agent", names.AGENT_NAME: agent}, seconds, identity)


def _span(own: dict[str, str], seconds: float, identity: bytes) -> Span:
    return Span(
        trace_id=TRACE,
        span_id=identity,
        start_time_unix_nano=T0 + int(seconds * S),
        end_time_unix_nano=T0 + int((seconds + 1) * S),
        attributes=[attribute(key, value) for key, value in own.items()],
    )


def approval(tool: str, seconds: float) -> LogRecord:
    own = {names.TOOL_NAME: tool, names.APPROVAL_OUTCOME: "allow", names.APPROVAL_BY: "ceo"}
    return LogRecord(
        time_unix_nano=T0 + int(seconds * S),
        event_name=names.EVENT_APPROVAL,
        trace_id=TRACE,
        attributes=[attribute(key, value) for key, value in own.items()],
    )


# --- The rule ----------------------------------------------------------------------------------


def test_a_run_belongs_to_the_sender_that_opened_it() -> None:
    owners = RunOwners(lambda _run_id: "")

    assert owners.assign(step(), OWNER).run_id == RUN
    other = owners.assign(step(), OTHER)
    assert (other.run_id, other.sender) == (apart(RUN, OTHER), OTHER)
    assert owners.assign(step(), OWNER).run_id == RUN


def test_a_services_own_calls_take_no_run_from_its_agent() -> None:
    owners = RunOwners(lambda _run_id: "")

    owners.assign(step(StepKind.OUTGOING), OTHER)
    assert owners.assign(step(), OWNER).run_id == RUN
    assert owners.assign(step(StepKind.OUTGOING), OTHER).run_id == apart(RUN, OTHER)


def test_the_name_of_a_run_apart_that_somebody_claimed_is_not_shared_with_them() -> None:
    owners = RunOwners(lambda _run_id: "")
    claimed = apart(RUN, OTHER)
    owners.assign(step(), OWNER)
    owners.assign(step(run_id=claimed), "thief")

    assert owners.assign(step(), OTHER).run_id not in {RUN, claimed}


def test_what_an_earlier_process_recorded_counts() -> None:
    owners = RunOwners({RUN: OWNER}.get)  # type: ignore[arg-type]

    assert owners.assign(step(), OTHER).run_id != RUN


@pytest.mark.parametrize(
    ("shared", "joined"),
    [(["team-*"], True), (["*"], True), (["team-a", "team-b"], False), (["10.*"], False)],
)
def test_senders_share_runs_only_where_one_pattern_fits_both(
    shared: Sequence[str], joined: bool
) -> None:
    owners = RunOwners(lambda _run_id: "", shared)
    owners.assign(step(), OWNER)

    assert (owners.assign(step(), OTHER).run_id == RUN) is joined


# --- A whole collector -------------------------------------------------------------------------

MEMORY_BYTES_MAX = 8_000_000_000  # the tests' own process counts too, and may be large already


class Senders:
    """Two senders with tokens in front of one running collector."""

    def __init__(self, home: Path) -> None:
        self.home = home
        tokens = Tokens(home / "tokens.json")
        self._headers = {
            name: {"authorization": f"Bearer {tokens.create(name, [Scope.INGEST])[1]}"}
            for name in (OWNER, OTHER)
        }
        self.client: httpx.AsyncClient
        self.up: Running

    async def spans(self, sender: str, *spans: Span, host: str = "", pid: int = 0) -> None:
        request = ExportTraceServiceRequest.FromString(span_request(spans))
        if host:
            process = [attribute(names.HOST_NAME, host), attribute(names.PROCESS_PID, pid)]
            request.resource_spans[0].resource.attributes.extend(process)
        await self._post("/v1/traces", request.SerializeToString(), sender)

    async def events(self, sender: str, *records: LogRecord) -> None:
        await self._post("/v1/logs", log_request(records), sender)

    async def _post(self, path: str, body: bytes, sender: str) -> None:
        headers = {"content-type": "application/x-protobuf"} | self._headers[sender]
        response = await self.client.post(path, content=body, headers=headers)
        assert response.status_code == 200

    def run(self, act: Any, **changes: Any) -> None:
        """Act against a collector on this home folder, and let it judge."""

        async def go() -> None:
            config = Config(
                self.home, http=HERE, grpc=HERE, tick_s=0.05, document=POLICY,
                memory_bytes_max=MEMORY_BYTES_MAX, **changes,
            )  # fmt: skip
            async with running(config) as up:
                base = f"http://{up.http}"
                async with httpx.AsyncClient(base_url=base, timeout=60) as self.client:
                    self.up = up
                    await act(self)
                    await asyncio.sleep(0.5)

        asyncio.run(go())

    def found(self, run_id: str = RUN) -> set[str]:
        """What was found of a run: kinds and tools."""
        with Reader.open(self.home / "aftershock.db") as reader:
            return {
                f"{claim.finding.kind}/{claim.finding.subject.partition('/')[0]}"
                for claim in reader.claims(run_id)
            }

    def tools(self, run_id: str = RUN) -> list[str]:
        with Reader.open(self.home / "aftershock.db") as reader:
            steps = reader.steps(run_id, EMPTY)
        return [one.name for one in steps if one.kind is StepKind.TOOL_CALL]


@pytest.fixture
def senders(tmp_path: Path) -> Senders:
    return Senders(tmp_path)


def test_p14_nobody_joins_renames_or_ends_another_senders_run(senders: Senders) -> None:
    async def attack(to: Senders) -> None:
        await to.spans(OWNER, span("look", 1))
        await to.spans(OTHER, span("drop_all", 2))
        await to.spans(OTHER, frame("renamed", -5, ROOT))
        await to.spans(OTHER, _span({**JOINING, names.RUN_ID: RUN}, 3, b"joinjoin"))
        await asyncio.sleep(0.3)
        window = to.up.judging.engine.window(RUN)
        assert window is not None
        assert (window.agent, window.ended_at_ns) == ("victim", None)
        assert list(window.senders) == [OWNER]

    senders.run(attack)
    assert senders.tools() == ["look"]
    assert senders.found() == set()
    assert senders.tools(apart(RUN, OTHER)) == ["drop_all", "drop_b"]
    assert "unapproved_action/drop_all" in senders.found(apart(RUN, OTHER))


JOINING = {names.OPERATION: "execute_tool", names.TOOL_NAME: "drop_b", names.AGENT_NAME: "x"}


def test_p14_a_span_id_that_was_claimed_hides_nothing_even_after_a_restart(
    senders: Senders,
) -> None:
    async def attack(to: Senders) -> None:
        await to.spans(OWNER, span("look", 1))
        await to.spans(OTHER, span("harmless", 2, CALL))
        await to.spans(OWNER, span("drop_all", 2, CALL))
        await to.spans(OTHER, span("harmless", 9, CALL))

    async def nothing(_to: Senders) -> None:
        pass

    senders.run(attack)
    senders.run(nothing)
    assert senders.tools() == ["look", "drop_all"]
    assert senders.found() == {"unapproved_action/drop_all"}


def test_p14_nobody_approves_a_call_in_another_senders_run(senders: Senders) -> None:
    async def attack(to: Senders) -> None:
        await to.spans(OWNER, span("look", 1))
        await to.events(OTHER, approval("drop_all", 2))
        await to.spans(OWNER, span("drop_all", 4))

    senders.run(attack)
    assert senders.found() == {"unapproved_action/drop_all"}


def test_p14_the_owner_is_known_after_a_restart(senders: Senders) -> None:
    async def before(to: Senders) -> None:
        await to.spans(OWNER, span("look", 1))

    async def after(to: Senders) -> None:
        await to.spans(OTHER, span("drop_all", 2))
        await to.spans(OWNER, span("drop_own", 3))

    senders.run(before)
    senders.run(after)
    assert senders.tools() == ["look", "drop_own"]


def test_p14_where_the_policy_shares_runs_the_page_names_every_sender(senders: Senders) -> None:
    pages: list[str] = []

    async def join(to: Senders) -> None:
        await to.spans(OWNER, span("look", 1))
        await to.spans(OTHER, span("drop_all", 2))
        pages.append((await to.client.get(f"/runs/{RUN}")).text)

    senders.run(join, shared_runs=("team-*",))
    assert senders.tools() == ["look", "drop_all"]
    assert "sent by 2 senders" in pages[0]
    assert "team-a, team-b" in pages[0]


def test_p14_the_page_of_a_run_says_who_else_named_it(senders: Senders) -> None:
    pages: list[str] = []

    async def join(to: Senders) -> None:
        await to.spans(OWNER, span("look", 1))
        await to.spans(OTHER, span("drop_all", 2))
        pages.append((await to.client.get(f"/runs/{RUN}")).text)
        pages.append((await to.client.get(f"/runs/{apart(RUN, OTHER)}")).text)

    senders.run(join)
    assert "1 other sender named this run" in pages[0]
    assert f"{OTHER} in {apart(RUN, OTHER)}" in pages[0]
    assert "drop_all" not in pages[0]
    assert "drop_all" in pages[1]


def test_p25_a_page_names_the_sender_and_gives_no_command_against_one_of_several_processes(
    tmp_path: Path,
) -> None:
    with Receiver() as receiver:
        on_call = OnCall(webhook_url=receiver.url, wait_s=0.0)
        senders = Senders(tmp_path)

        async def act(to: Senders) -> None:
            await to.spans(OWNER, span("drop_all", 1), host="web-1", pid=11)
            await asyncio.sleep(0.5)
            await to.spans(OWNER, span("drop_b", 2), host="db-1", pid=22)

        senders.run(act, on_call=on_call)
        bodies = [request.content.decode() for request in receiver.requests]

    assert f"kill 11 on host web-1 (as its telemetry says, sent from {OWNER})" in bodies[0]
    assert "kill" not in bodies[-1]
    assert "its steps name several processes" in bodies[-1]


def test_p11_a_thousand_unapproved_calls_of_one_run_are_one_page(tmp_path: Path) -> None:
    with Receiver() as receiver:
        on_call = OnCall(webhook_url=receiver.url, wait_s=0.0)
        senders = Senders(tmp_path)

        async def act(to: Senders) -> None:
            calls = [span("drop_all", n / 100, (n + 1).to_bytes(8)) for n in range(1_000)]
            await to.spans(OWNER, *calls)
            while not receiver.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

        senders.run(act, on_call=on_call)
        opened = [one for one in receiver.requests if one.json["state"] == "opened"]

    assert len(opened) == 1
    assert len(receiver.requests) < 10


def test_p23_no_control_character_of_a_name_reaches_a_receiver(tmp_path: Path) -> None:
    hostile = "e\x1b[31mvil\x07\u202e\x00\r\nname"
    with Receiver() as receiver:
        on_call = OnCall(
            webhook_url=receiver.url, slack_url=receiver.url, teams_url=receiver.url,
            alertmanager_url=receiver.url, pagerduty_url=receiver.url, pagerduty_routing_key="k",
            opsgenie_url=receiver.url, opsgenie_api_key="k", wait_s=0.0,
        )  # fmt: skip
        senders = Senders(tmp_path)

        async def act(to: Senders) -> None:
            own = {names.AGENT_NAME: hostile, names.RUN_ID: hostile, names.ERROR_TYPE: hostile}
            await to.spans(OWNER, span(f"drop_{hostile}", 1, b"", **own), host=hostile, pid=1)
            await asyncio.sleep(2)

        senders.run(act, on_call=on_call)
        texts = [str(request.json) for request in receiver.requests]

    assert len(texts) >= 6
    for text in texts:
        assert "vil" in text
        for mark in ("\\x1b", "\\x07", "\\u202e", "\\x00", "\\r"):
            assert mark not in text
