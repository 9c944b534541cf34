"""Logs of what agents act on: what was done, by which trace, from the lines that programs write."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock.model import Change, ChangeKind
from aftershock_collector.config.load import schema
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.logs import FORMATS, changes_in, format_named, read_logged
from aftershock_collector.reading.logs.http_access import route
from aftershock_collector.reading.logs.statements import read_statement

TRACE, SPAN = "5e" * 16, "ac" * 8
PARENT = f"00-{TRACE}-{SPAN}-01"
COMMENT = f"/*traceparent='{PARENT}'*/"
NOW = 7
T = "2026-11-30T17:00:39.498Z"
T_NS = 1_796_058_039_498_000_000
PREFIX = "2026-11-30 17:00:39.498 UTC [30786] shop@orders psql "
CSV = (
    '2026-11-30 17:00:39.498 UTC,"shop","orders",30786,"127.0.0.1:44184",6b0dabb7.7842,2,"DELETE",'
    '2026-11-30 17:00:39 UTC,3/7,727,{level},{state},"{message}",,,,,,{statement},,,'
    '"{application}","client backend",,0'
)
SLOW = (
    "# Time: 2026-11-30T17:00:39.498Z\n# User@Host: root[root] @ localhost []\n"
    "# Thread_id: 5  Schema: orders  QC_hit: No\n"
    "# Query_time: 0.010431  Lock_time: 0.000211  Rows_sent: 0  Rows_examined: 1200\n"
    "# Rows_affected: 1200  Bytes_sent: 13\nSET timestamp=1796058039;\n"
    f"delete from orders where id > 0 {COMMENT};"
)


def kubernetes(verb: str, *, code: int = 200, agent: str = "kubectl/v1.31", **sent: Any) -> str:
    return json.dumps(
        {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a1",
            "stage": "ResponseComplete", "verb": verb, "userAgent": agent,
            "objectRef": {"resource": "deployments", "namespace": "prod", "name": "web",
                          "subresource": "scale"},
            "requestObject": sent, "responseStatus": {"code": code}, "stageTimestamp": T,
        }
    )  # fmt: skip


def cloudtrail(**more: Any) -> dict[str, Any]:
    return {
        "eventTime": "2026-11-30T17:00:39Z", "eventSource": "rds.amazonaws.com",
        "eventName": "DeleteDBInstance", "readOnly": False,
        "userAgent": f"aws-cli/2.17 exec-env/{PARENT}",
        "resources": [{"ARN": "arn:aws:rds:eu-west-1:1:db:orders"}],
    } | more  # fmt: skip


GOOGLE: dict[str, Any] = {
    "timestamp": T,
    "trace": f"projects/shop/traces/{TRACE}",
    "spanId": SPAN,
    "protoPayload": {
        "methodName": "google.cloud.sql.v1.SqlInstancesService.Delete",
        "resourceName": "projects/shop/instances/orders",
        "status": {},
    },
}
AZURE = {
    "time": T, "resourceId": "/SUBSCRIPTIONS/1/RESOURCEGROUPS/SHOP", "resultType": "Success",
    "operationName": "MICROSOFT.RESOURCES/SUBSCRIPTIONS/RESOURCEGROUPS/DELETE",
    "correlationId": "5e5e5e5e-5e5e-5e5e-5e5e-5e5e5e5e5e5e",
}  # fmt: skip
NGINX = (
    '10.0.0.7 - - [30/Nov/2026:18:00:39 +0100] "{request} HTTP/1.1" {status} 12 "-" "curl/8" '
    f'"{PARENT}"'
)
ENVOY = f'[{T}] "POST /scale?n=12 HTTP/1.1" 503 UF 0 91 4 - "-" "agent" "id" "web" "-" "{PARENT}"'

# format, record → entity, what was done, detail, trouble
RECORDS: list[tuple[str, str, tuple[str, str, str, bool]]] = [
    ("postgresql", f"{PREFIX}LOG:  duration: 12.071 ms  statement: DELETE FROM orders {COMMENT}",
     ("db/orders", "DELETE orders", "", False)),
    ("postgresql", f"{PREFIX}{PARENT} LOG:  execute <unnamed>: update public.orders\n\tset x = $1",
     ("db/orders", "UPDATE orders", "", False)),
    ("postgresql", (f"{PREFIX}LOG:  AUDIT: SESSION,1,1,WRITE,DELETE,,,delete from orders {COMMENT},"
     "<not logged>,1200"), ("db/orders", "DELETE orders", "deleted 1,200 rows", True)),
    ("postgresql", (f"{PREFIX}LOG:  AUDIT: SESSION,1,1,DDL,DROP TABLE,,,drop table orders {COMMENT},"
     "<not logged>,0"), ("db/orders", "DROP TABLE orders", "", True)),
    ("postgresql", (f"{PREFIX}LOG:  duration: 0.847 ms  plan:\n\tQuery Text: delete from orders "
     f"where id > 0 {COMMENT}\n\tDelete on orders  (cost=0.00..25.88 rows=0 width=0) (actual "
     "time=0.845..0.846 rows=0 loops=1)\n\t  ->  Seq Scan on orders  (cost=0.00..25.88 rows=423 "
     "width=6) (actual time=0.027..0.229 rows=1200 loops=1)\n\t        Filter: (id > 0)"),
     ("db/orders", "DELETE orders", "deleted 1,200 rows", True)),
    ("postgresql", (f"{PREFIX}LOG:  duration: 0.851 ms  plan:\n\tQuery Text: with gone as (delete from "
     f"orders returning id)\n\tselect count(*) from gone {COMMENT}\n\tAggregate  (cost=1.00..1.01 "
     "rows=1 width=8) (actual time=1.1..1.1 rows=1 loops=1)\n\t  CTE gone\n\t    ->  Delete on orders  "
     "(cost=0.00..25.88 rows=0 width=0) (actual time=0.845..0.846 rows=30 loops=1)\n\t          ->  Seq "
     "Scan on orders  (cost=0.00..25.88 rows=423 width=6) (actual time=0.1..0.2 rows=30 loops=1)"),
     ("db/orders", "DELETE orders", "deleted 30 rows", False)),
    ("postgresql", (f'{PREFIX}{PARENT} ERROR:  relation "nosuch" does not exist at character 13\n'
     f"{PREFIX}STATEMENT:  select * from nosuch"),
     ("db/orders", "SELECT nosuch", "failed: relation '…' does not exist at character #", False)),
    ("postgresql", f"{PREFIX}{PARENT} ERROR:  deadlock detected\n{PREFIX}STATEMENT:  update a set b=1",
     ("db/orders", "UPDATE a", "failed: deadlock detected", True)),
    ("postgresql", CSV.format(level="LOG", state="00000", message="statement: truncate orders",
     statement="", application=f"psql {PARENT}"), ("db/orders", "TRUNCATE orders", "", True)),
    ("postgresql", CSV.format(level="ERROR", state="53200", message="out of memory",
     statement=f"update a set b=1 {COMMENT}", application="psql"),
     ("db/orders", "UPDATE a", "failed: out of memory", True)),
    ("postgresql", json.dumps({"timestamp": "2026-11-30 17:00:39.498 UTC", "dbname": "orders",
     "error_severity": "ERROR", "state_code": "23505", "message": 'duplicate key "x"',
     "statement": "insert into orders values (1)", "application_name": PARENT}),
     ("db/orders", "INSERT orders", "failed: duplicate key '…'", False)),
    ("mysql", SLOW, ("db/orders", "DELETE orders", "deleted 1,200 rows", True)),
    ("mysql", f"{T}\t   12 Query\tDELETE\nFROM orders {COMMENT}",
     ("db/named", "DELETE orders", "", False)),
    ("mysql", f"\t\t     5 Query\tupdate orders set x=1 {COMMENT}",
     ("db/named", "UPDATE orders", "", False)),
    ("mysql", (f"20261130 17:00:39,db1,root,localhost,5,9,QUERY,orders,'update a set b=\\'x\\' "
     f"{COMMENT}',1205"), ("db/orders", "UPDATE a", "failed: error 1205", True)),
    ("mysql", json.dumps({"audit_record": {"name": "Query", "timestamp": "2026-11-30T17:00:39 UTC",
     "sqltext": f"drop table t {COMMENT}", "db": "orders", "status": 0}}),
     ("db/orders", "DROP TABLE t", "", True)),
    ("mysql", json.dumps({"timestamp": "2026-11-30 17:00:39", "class": "general", "general_data":
     {"command": "Query", "query": f"delete from t {COMMENT}", "status": 1146}}),
     ("db/named", "DELETE t", "failed: error 1146", False)),
    ("http", NGINX.format(request="POST /carts/42/items?token=x", status=201),
     ("db/named", "POST /carts/*/items", "", False)),
    ("http", NGINX.format(request="GET /", status=404),
     ("db/named", "GET /", "failed: HTTP status 404", False)),
    ("http", ENVOY, ("db/named", "POST /scale", "failed: HTTP status 503", True)),
    ("http", json.dumps({"time_iso8601": T, "request": "DELETE /v1/x HTTP/1.1", "status": "204",
     "traceparent": PARENT}), ("db/named", "DELETE /*/x", "", False)),
    ("http", json.dumps({"start_time": T, "method": "PUT", "path": "/a", "response_code": 500,
     "trace_id": TRACE}), ("db/named", "PUT /a", "failed: HTTP status 500", True)),
    ("kubernetes-audit", kubernetes("patch", agent=f"kubectl {PARENT}"),
     ("k8s/prod/web", "patch deployments/scale", "", False)),
    ("kubernetes-audit", kubernetes("update", metadata={"annotations": {"traceparent": PARENT}}),
     ("k8s/prod/web", "update deployments/scale", "", False)),
    ("kubernetes-audit", kubernetes("delete", code=403, agent=PARENT),
     ("k8s/prod/web", "delete deployments/scale", "failed: HTTP status 403", False)),
    ("cloud-audit", json.dumps({"Records": [cloudtrail()]}),
     ("cloud/arn:aws:rds:eu-west-1:1:db:orders", "rds DeleteDBInstance", "", False)),
    ("cloud-audit", json.dumps(cloudtrail(errorCode="AccessDenied", resources=None)),
     ("cloud/rds", "rds DeleteDBInstance", "failed: AccessDenied", False)),
    ("cloud-audit", json.dumps([GOOGLE], indent=2),
     ("cloud/projects/shop/instances/orders", "google.cloud.sql.v1.SqlInstancesService.Delete", "",
      False)),
    ("cloud-audit", json.dumps({"records": [AZURE]}),
     ("cloud//subscriptions/1/resourcegroups/shop",
      "microsoft.resources/subscriptions/resourcegroups/delete", "", False)),
]  # fmt: skip


def read(name: str, record: str, deleted_rows_max: int | None = 100) -> list[Change]:
    known = format_named(name)
    found = changes_in(record, known, None, NOW, deleted_rows_max)
    return found or changes_in(record, known, "db/named", NOW, deleted_rows_max)


@pytest.mark.parametrize(("name", "record", "expected"), RECORDS)
def test_a_record_says_what_was_done_by_which_trace(
    name: str, record: str, expected: tuple[str, str, str, bool]
) -> None:
    (change,) = read(name, record)

    assert expected == (change.entity, change.name, change.detail, change.kind.is_trouble)
    assert TRACE == change.trace_id
    assert change.span_id in {SPAN, None}
    assert (name != "http") == change.vouched  # whoever reaches a server writes its headers
    moments = {T_NS, T_NS // 10**9 * 10**9, NOW}  # some write seconds, some no time at all
    assert change.began_at_ns in moments


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("postgresql", f"{PREFIX}LOG:  statement: select * from orders {COMMENT}"),
        (
            "postgresql",
            (
                f"{PREFIX}LOG:  duration: 0.118 ms  plan:\n\tQuery Text: select count(*)\n\t"
                f"from orders {COMMENT}\n\tAggregate  (cost=41.88..41.88 rows=1 width=8) (actual time=0.1..0.1"
                " rows=1 loops=1)\n\t  ->  Seq Scan on orders  (cost=0.00..35.50 rows=2550 width=0) (actual"
                " time=0.012..0.072 rows=1200 loops=1)"
            ),
        ),
        ("postgresql", f"{PREFIX}LOG:  statement: delete from orders"),
        ("postgresql", f"{PREFIX}LOG:  checkpoint complete {PARENT}"),
        ("mysql", f"\t\t     5 Prepare\tupdate orders set x=1 {COMMENT}"),
        ("http", NGINX.format(request="GET /health", status=200)),
        ("kubernetes-audit", kubernetes("get", agent=PARENT)),
        ("cloud-audit", json.dumps(cloudtrail(eventName="DescribeDBInstances", readOnly=True))),
        ("cloud-audit", json.dumps(AZURE | {"resultType": "Start"})),
    ],
)
def test_what_changed_nothing_or_names_no_trace_is_left_out(name: str, record: str) -> None:
    assert not read(name, record)


def test_deleting_is_damage_only_where_the_operator_says_from_how_many_rows() -> None:
    (quiet,) = read("mysql", SLOW, None)
    (below,) = read("mysql", SLOW, 1_200)
    (above,) = read("mysql", SLOW, 1_199)

    assert [ChangeKind.OPERATION, ChangeKind.OPERATION, ChangeKind.WARNING] == [
        change.kind for change in (quiet, below, above)
    ]


@pytest.mark.parametrize(
    ("sql", "did"),
    [
        ("with gone as (delete from a returning *) insert into b select * from gone", "INSERT b"),
        ("begin; update a set x = 1; delete from b; commit", "DELETE b"),
        ("insert into o(w) select 'ada' from generate_series(1, 1200)", "INSERT o"),
        ("delete from o where name = 'it''s /* no comment */' and id in (1, 2, 3)", "DELETE o"),
        ("alter table o drop column c", "ALTER TABLE o"),
        ("vacuum full", "VACUUM"),
        ("this is no SQL (", "THIS"),
    ],
)
def test_a_statement_is_named_by_its_kind_and_table(sql: str, did: str) -> None:
    assert did == read_statement(sql, "postgres").did


def test_values_never_leave_the_record() -> None:
    record = f'{PREFIX}ERROR:  duplicate key value violates unique constraint "people_pkey"\n'
    record += f"{PREFIX}DETAIL:  Key (mail)=(ada@example.org) already exists.\n{PREFIX}STATEMENT:  "
    record += f"insert into people values ('ada@example.org', 42) {COMMENT}"
    (change,) = read("postgresql", record)

    assert "ada" not in repr(change)
    assert "/orders/*" == route("/orders/8f6d1a2b?card=4111#x")


def test_the_settings_name_exactly_the_formats_that_can_be_read() -> None:
    logs = schema()["$defs"]["infrastructure"]["properties"]["logs"]

    assert [each.name for each in FORMATS] == sorted(
        logs["items"]["properties"]["format"]["enum"],
        key=[each.name for each in FORMATS].index,
    )


# --- The same lines in OTLP --------------------------------------------------------------------


def shipped(
    text: Any, attributes: dict[str, Any] | None = None, resource: dict[str, str] | None = None,
    trace: str | None = None,
) -> LogEvent:  # fmt: skip
    return LogEvent(trace, SPAN if trace else None, "", text, NOW, 9, attributes or {},
                    resource or {"host.name": "db1"}, "")  # fmt: skip


@pytest.mark.parametrize(("name", "record", "expected"), RECORDS)
def test_a_shipped_line_is_read_as_the_file_would_be(
    name: str, record: str, expected: tuple[str, str, str, bool]
) -> None:
    change = read_logged(shipped(record), 100)

    assert change is not None
    entity = "host/db1" if expected[0] == "db/named" else expected[0]
    assert (entity, *expected[1:3]) == (change.entity, change.name, change.detail)
    assert (name != "http") == change.vouched


def test_a_line_that_its_shipper_parsed_is_read_from_body_or_attributes() -> None:
    fields = {"method": "POST", "path": "/a", "status": 500}
    in_body = read_logged(shipped(fields, trace=TRACE, resource={"service.name": "web"}))
    in_attributes = read_logged(shipped("POST /a", fields, {"service.name": "web"}, TRACE))
    audit = read_logged(shipped(json.loads(kubernetes("patch", agent=PARENT))))

    assert in_body is not None
    assert in_body == in_attributes
    assert ("service/web", "POST /a", SPAN) == (in_body.entity, in_body.name, in_body.span_id)
    assert audit is not None
    assert "k8s/prod/web" == audit.entity


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=40) | st.just(PARENT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)  # the first statement of a dialect builds its tables
@given(st.data())
def test_nothing_that_a_log_holds_raises(data: st.DataObject) -> None:
    name, record, _ = data.draw(st.sampled_from(RECORDS))
    cut = data.draw(st.integers(0, len(record)))
    junk = data.draw(st.binary(max_size=60)).decode("utf-8", "replace")
    changed = record[:cut] + junk + record[cut + data.draw(st.integers(0, 30)) :]
    known = format_named(name)

    known.begins(changed, record)
    changes_in(changed, known, None, NOW, 1)
    read_logged(shipped(changed))


@settings(deadline=None)
@given(JSON, st.sampled_from(RECORDS), st.data())
def test_no_object_in_a_log_raises(value: Any, known: Any, data: st.DataObject) -> None:
    spelled: Any = json.loads(known[1]) if known[1].startswith("{") else {}
    whole = cast("dict[str, Any]", spelled)
    if whole:
        whole[data.draw(st.sampled_from(sorted(whole)))] = value
    read_logged(shipped(value))
    for body in (whole, {"protoPayload": value}, {"Records": [value]}):
        read_logged(shipped(body))
        read_logged(shipped("x", body))


def test_words_of_a_database_from_a_client_of_a_web_server_prove_nothing() -> None:
    """A User-Agent reached the log of nginx, and read as a table that an agent had dropped."""
    words = f"LOG:  statement: DROP TABLE users {COMMENT}"
    line = f'10.0.0.9 - - [30/Nov/2026:17:00:39 +0000] "GET / HTTP/1.1" 200 612 "-" "{words}"'
    shop = {"service.name": "shop"}

    def shipped(text: str) -> Change | None:
        return read_logged(LogEvent(None, None, "", text, NOW, 0, {}, shop, ""), 0)

    forged, own = shipped(line), shipped(f"{PREFIX}{words}")

    assert forged is None or not forged.vouched
    assert own is not None
    assert own.vouched


def test_a_client_that_is_called_like_an_entry_proves_nothing() -> None:
    """`application_name` stands before the level, and is the client's word."""
    called = "LOG:  statement: DROP TABLE a"
    line = (
        f"2026-11-30 17:00:39.498 UTC [7] shop@orders {called} LOG:  statement: select 1 {COMMENT}"
    )

    found = changes_in(line, format_named("postgresql"), "db/orders", NOW, 0)

    assert [change.vouched for change in found] == [False]
