"""The HTTP API as an OpenAPI 3.1 document: what is served under /openapi.json and documented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aftershock.version import VERSION
from aftershock_collector.access.middleware import permission_for

PROTOBUF, JSON, HTML = "application/x-protobuf", "application/json", "text/html"
PLAIN, OPENMETRICS = "text/plain", "application/openmetrics-text"
FORM = "application/x-www-form-urlencoded"
Schema = Mapping[str, Any]

STATUS: Schema = {"$ref": "#/components/schemas/Status"}
REFUSED: Schema = {"$ref": "#/components/schemas/Refused"}
TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
BYTES: Schema = {"type": "string", "format": "binary"}

Contents = Mapping[str, Schema]  # content type → schema
STATUSES: Contents = {JSON: STATUS, PROTOBUF: BYTES}


@dataclass(frozen=True, slots=True)
class Answered:
    """One status that an operation answers with."""

    status: int
    says: str
    contents: Contents


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path or of the query."""

    name: str
    place: str  # path | query
    says: str
    schema: Schema = field(default_factory=lambda: TEXT)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    group: str
    says: str
    answers: Sequence[Answered]
    parameters: Sequence[Parameter] = ()
    body: Contents | None = None


def _html(says: str = "The document.") -> Answered:
    return Answered(200, says, {HTML: TEXT})


BAD = Answered(400, "The body cannot be read; nothing of it is kept.", STATUSES)
SLOW = Answered(408, "The body took too long.", STATUSES)
LARGE = Answered(413, "The body is larger than `collector.request_bytes_max`.", STATUSES)
OTHER_TYPE = Answered(415, "Another content type or encoding is accepted.", {JSON: STATUS})
FAILED = Answered(500, "A failure of the collector, which its log describes.", STATUSES)
BUSY = Answered(503, "Not kept. Send it again after `Retry-After` seconds.", STATUSES)
MISSING = Answered(
    404, "There is no such thing, or it is older than what is kept.", {HTML: TEXT, JSON: STATUS}
)
UNREADABLE = Answered(503, "The store cannot be read.", {JSON: STATUS})
# What stands before every path, and what before every path but the probes.
GATE_OF_ALL = (
    Answered(403, "The token may not do this, or another site asks.", {JSON: REFUSED}),
    Answered(421, "The `Host` is not one of `collector.hosts`.", {JSON: REFUSED}),
)
GATE_OF_SENDERS = (
    Answered(401, "A token is needed, or this one is not valid.", {JSON: REFUSED}),
    Answered(503, "The sender is too fast, or the tokens cannot be read.", {JSON: REFUSED}),
)

NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999_999}
FILTERS = tuple(
    Parameter(name, "query", says)
    for name, says in (
        ("agent", "Only of this agent."),
        ("rule", "Only findings of this rule."),
        ("level", "`warn` or `alarm`."),
        ("entity", "Only about this entity, such as `service/checkout`."),
        ("since", "Not older than this time or duration, such as `2h`."),
        ("until", "Not newer."),
    )
)
SIGNATURE = (
    Parameter("expires", "query", "Last second of a signed link."),
    Parameter("signature", "query", "Its signature: it stands in for a token."),
)
INCIDENT = Parameter("number", "path", "Number of an incident.", NUMBER)
ACTION = Parameter(
    "action", "path", "What to do.",
    {"type": "string", "enum": ["acknowledge", "feedback", "mute"]},
)  # fmt: skip
ALERTS: Contents = {
    JSON: {
        "oneOf": [
            {"type": "object", "required": ["alerts"], "properties": {"alerts": {"type": "array"}}},
            {"type": "array", "description": "What is no alert is counted."},
        ]
    }
}
ANSWER_FORM: Contents = {
    FORM: {
        "type": "object",
        "required": ["by"],
        "properties": {
            "by": {"type": "string", "description": "Who answers."},
            "because": {"type": "string"},
            "assessment": {"type": "string", "description": "Of feedback."},
            "for": {"type": "string", "description": "Of a mute, such as `2h`."},
        },
    }
}


REQUEST = Parameter("number", "path", "Number of a request for approval.", NUMBER)
APPROVAL_ACTION = Parameter(
    "action", "path", "The answer.", {"type": "string", "enum": ["approve", "deny"]}
)
TO = Parameter("to", "query", "The receiver that a one-time link was sent to.")
# `similar`: the numbers of requests of its group, with commas. `seen`: the state that was shown.
APPROVAL_FORM: Contents = {
    FORM: {
        "type": "object",
        "required": ["by"],
        "properties": dict.fromkeys(("by", "because", "similar", "seen"), TEXT),
    }
}


def _otlp(signal: str) -> Operation:
    return Operation(
        "post", f"/v1/{signal}", "Ingest", f"Send {signal} as OTLP.",
        (
            Answered(200, "Stored; a partial success names what was not.", {JSON: OBJECT,
                     PROTOBUF: BYTES}),
            BAD, SLOW, LARGE, FAILED, BUSY,
        ),
        body={PROTOBUF: BYTES, JSON: OBJECT},
    )  # fmt: skip


def _alerts(path: str, says: str) -> Operation:
    kept = Answered(200, "Stored, with the suspects of each alert.", {
        JSON: {"$ref": "#/components/schemas/Suspected"}
    })  # fmt: skip
    return Operation(
        "post", path, "Ingest", says,
        (kept, BAD, SLOW, LARGE, FAILED, BUSY), body=ALERTS,
    )  # fmt: skip


def _deploys(system: str, name: str) -> Operation:
    return Operation(
        "post", f"/api/v1/deploys/{system}", "Ingest", f"A deploy, as {name} reports it.",
        (
            Answered(200, "Stored, or counted as an event that reports no deploy.", {JSON: OBJECT}),
            BAD, SLOW, LARGE, FAILED, BUSY,
        ),
        body={JSON: OBJECT},
    )  # fmt: skip


def _get(
    path: str, says: str, *more: Answered, parameters: Sequence[Parameter] = (), html: str = ""
) -> Operation:
    return Operation(
        "get", path, "Views", says, (_html(html or "The document."), *more), parameters
    )


def _control(path: str, says: str, answer: str, *required: str) -> Operation:
    """A question or an order about agents: JSON in, JSON out."""
    body: Schema = {"type": "object", "required": list(required)} if required else OBJECT
    return Operation(
        "post", path, "Control", says,
        (Answered(200, answer, {JSON: OBJECT}), Answered(400, "It cannot be read.", STATUSES),
         FAILED, UNREADABLE),
        body={JSON: body},
    )  # fmt: skip


def _answers(service: str, says: str, body: Contents) -> Operation:
    return Operation(
        "post", f"/api/v1/approvals/{service}", "Answers", says,
        (Answered(200, "What came of it.", {JSON: OBJECT}),
         Answered(400, "The body cannot be read.", {JSON: STATUS}),
         Answered(404, "No secret of this service is configured.", {JSON: STATUS}), LARGE, FAILED),
        body=body,
    )  # fmt: skip


HEALTH: Contents = {JSON: {"$ref": "#/components/schemas/Health"}}
OPERATIONS: Sequence[Operation] = (
    _otlp("traces"),
    _otlp("metrics"),
    _otlp("logs"),
    _alerts("/api/v1/alerts/alertmanager", "Alertmanager's webhook."),
    _alerts("/api/v2/alerts", "Alerts as Prometheus posts them to an Alertmanager."),
    _deploys("argocd", "Argo CD"),
    _deploys("flux", "Flux"),
    _deploys("github", "GitHub"),
    _control("/v1/preflight", "What is decided about an action, and what its agent does not know.",
             "The decision, its reasons, and the facts.", "action"),
    _control("/v1/guard/poll", "Wait for orders and answers, as one process of an agent.",
             "What changed, as soon as something did.", "process"),
    _control("/v1/guard/tickets", "Ask people to approve a call.", "A ticket.", "digest", "action"),
    _control("/v1/guard/spend", "Use an approval.", "Whether it may.", "number", "digest", "nonce"),
    _control("/v1/guard/spending", "What was used up today.", "The counts.", "of"),
    _control("/v1/guard/canary", "Begin a step of a rollout.", "The step, or why not.", "nonce"),
    _control("/v1/guard/hook", "The event of a coding agent's hook.", "What it prints, if any."),
    Operation(
        "post", "/v1/guard/hook/text", "Control", "The event of a coding agent's hook, alone.",
        (Answered(200, "What the hook prints.", {PLAIN: TEXT}),
         Answered(400, "It cannot be read.", {JSON: STATUS}), FAILED, UNREADABLE),
        (Parameter("agent", "query", "Whose event it is; default: by its shape."),
         Parameter("ask", "query", "`ticket`: whoever answers `aftershock approvals` is asked.")),
        {JSON: OBJECT},
    ),
    _control("/v1/orders", "Stop, pause or resume agents.",
             "Which processes acknowledged it, and which did not.", "verb", "by", "because"),
    _answers("slack", "A button in Slack that answers a request for approval; signed by Slack.",
             {FORM: {"type": "object", "properties": {"payload": TEXT}}}),
    _answers("pagerduty", "A note in PagerDuty that answers a request for approval; signed by "
             "PagerDuty.", {JSON: OBJECT}),
    Operation("get", "/v1/orders", "Control", "Orders in force, and the connected processes.",
              (Answered(200, "Both.", {JSON: OBJECT}),)),
    Operation("get", "/healthz", "Health", "Whether the process lives: also while degraded.",
              (Answered(200, "It does.", HEALTH),)),
    Operation("get", "/readyz", "Health", "Whether everything works.",
              (Answered(200, "It does.", HEALTH), Answered(503, "Something does not.", HEALTH))),
    Operation("get", "/metrics", "Health", "The collector's and the agents' metrics.",
              (Answered(200, "The exposition.", {PLAIN: TEXT, OPENMETRICS: TEXT}),)),
    Operation("get", "/openapi.json", "Health", "This document.",
              (Answered(200, "OpenAPI 3.1.", {JSON: OBJECT}),)),
    _get("/", "Runs, with the open incidents above.", UNREADABLE, parameters=FILTERS),
    _get("/incidents", "Incidents.", UNREADABLE, parameters=FILTERS),
    _get("/findings", "Findings.", UNREADABLE, parameters=FILTERS),
    Operation(
        "get", "/findings/{number}", "Views", "The run that a finding is about.",
        (Answered(307, "Where it is shown.", {}), MISSING, UNREADABLE),
        (Parameter("number", "path", "Number of a finding.", NUMBER),),
    ),
    _get("/runs/{run_id}", "The timeline of a run.", MISSING, UNREADABLE,
         parameters=(Parameter("run_id", "path", "Id of a run, or the beginning of one."),)),
    _get("/approvals", "What agents ask people to approve.", UNREADABLE),
    _get("/approvals/{number}", "One request for approval.", MISSING, UNREADABLE,
         parameters=(REQUEST,)),
    _get("/approvals/{number}/{action}", "A form by which a person answers it.",
         Answered(403, "The one-time link was changed, or is too old.", {HTML: TEXT}), MISSING,
         UNREADABLE, parameters=(REQUEST, APPROVAL_ACTION, *SIGNATURE, TO)),
    Operation(
        "post", "/approvals/{number}/{action}", "Answers", "Keep what a person decided.",
        (_html("The request with it."),
         Answered(400, "The form lacks something, or nothing can be answered.", {HTML: TEXT}),
         Answered(409, "It was denied, and nobody had seen that.", {HTML: TEXT}),
         Answered(403, "The one-time link was changed, or is too old.", {HTML: TEXT}), MISSING,
         Answered(503, "Not kept.", {HTML: TEXT, JSON: STATUS})),
        (REQUEST, APPROVAL_ACTION, *SIGNATURE, TO), APPROVAL_FORM,
    ),
    _get("/runbooks", "The list of runbooks."),
    _get("/runbooks/{name}", "A runbook.", MISSING,
         parameters=(Parameter("name", "path", "Name of an alert or of a rule."),)),
    _get("/incidents/{number}", "An incident.", MISSING, UNREADABLE, parameters=(INCIDENT,)),
    _get("/incidents/{number}/{action}", "A form by which a person answers.",
         Answered(403, "The signed link was changed, or is too old.", {HTML: TEXT}), MISSING,
         UNREADABLE, parameters=(INCIDENT, ACTION, *SIGNATURE)),
    Operation(
        "post", "/incidents/{number}/{action}", "Answers", "Keep what a person decided.",
        (_html("The incident with it."), Answered(400, "The form lacks something.", {HTML: TEXT}),
         Answered(403, "The signed link was changed, or is too old.", {HTML: TEXT}), MISSING,
         Answered(503, "Not kept.", {HTML: TEXT, JSON: STATUS})),
        (INCIDENT, ACTION, *SIGNATURE), ANSWER_FORM,
    ),
)  # fmt: skip


def permission_of(operation: Operation) -> str | None:
    """The scope that a token needs; None: none is asked for."""
    permission = permission_for(operation.method.upper(), operation.path)
    return None if permission is None else str(permission.value)


def document() -> dict[str, Any]:
    """The whole document, the same bytes each time."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aftershock",
            "version": VERSION,
            "description": "The HTTP API of `aftershock up`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": {"token": TOKEN}},
    }


def answers_of(operation: Operation) -> dict[int, Answered]:
    """Every answer by its status, those of the gate among them; its own words win."""
    gated = (*GATE_OF_ALL, *(GATE_OF_SENDERS if permission_of(operation) is not None else ()))
    gated += (OTHER_TYPE,) if operation.method == "post" else ()
    found: dict[int, Answered] = {}
    for each in (*gated, *operation.answers):
        known = found.get(each.status)
        contents = each.contents if known is None else {**known.contents, **each.contents}
        found[each.status] = Answered(each.status, each.says, contents)
    return dict(sorted(found.items()))


def _described(operation: Operation) -> dict[str, Any]:
    permission = permission_of(operation)
    found: dict[str, Any] = {
        "operationId": _id(operation),
        "tags": [operation.group],
        "summary": operation.says,
        "responses": {
            str(status): {"description": each.says, **_content(each.contents)}
            for status, each in answers_of(operation).items()
        },
        # Loopback needs no token, so that none at all is the other choice.
        "security": [] if permission is None else [{"token": []}, {}],
    }
    if permission is not None:
        found["description"] = f"Off loopback a token with the scope `{permission}`."
    if operation.parameters:
        found["parameters"] = [
            {
                "name": each.name,
                "in": each.place,
                "required": each.place == "path",
                "description": each.says,
                "schema": each.schema,
            }
            for each in operation.parameters
        ]
    if operation.body is not None:
        found["requestBody"] = {"required": True, **_content(operation.body)}
    return found


def _id(operation: Operation) -> str:
    words = operation.path.replace("{", "").replace("}", "").strip("/") or "runs"
    return f"{operation.method}_{words.replace('/', '_').replace('.', '_')}"


def _content(contents: Contents) -> dict[str, Any]:
    if not contents:
        return {}
    return {"content": {kind: {"schema": schema} for kind, schema in contents.items()}}


TOKEN: Schema = {
    "type": "http",
    "scheme": "bearer",
    "description": "Made by `aftershock token create`; not needed on loopback.",
}
SCHEMAS: Mapping[str, Schema] = {
    "Health": {
        "type": "object",
        "required": ["status", "reasons"],
        "properties": {
            "status": {"enum": ["ok", "degraded"]},
            "reasons": {"type": "array", "items": TEXT},
        },
    },
    "Refused": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "integer"}, "message": TEXT},
    },
    "Status": {
        "type": "object",
        "description": "google.rpc.Status; as protobuf where the request was.",
        "required": ["code", "message"],
        "properties": {"code": {"type": "integer"}, "message": TEXT},
    },
    "Suspected": {
        "type": "object",
        "required": ["rejected", "message", "suspects"],
        "properties": {
            "rejected": {"type": "integer"},
            "message": TEXT,
            "suspects": {"type": "array", "items": OBJECT},
        },
    },
}
