"""What the scripted model says to the demo's agents: in a hurry, with care, or held back.

And to a coding agent, whose sub-agent removes more than was meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aftershock_collector.demo.model_server import (
    Messages,
    Reply,
    ToolCall,
    by_turn,
    call,
    call_all,
    text_of,
    text_reply,
)

THINKS_S = 1.0  # a chat model's usual time to answer
ASKS_AGAIN_AFTER_S = 2.5
STATUS_CHECKS = 9  # nearly half a minute of asking the same
CONNECTIONS_OF_A_WORKER = 5


def thinking(reply: Reply, seconds: float = THINKS_S) -> Reply:
    """The reply, after the time that a model takes."""
    return replace(reply, delay_s=seconds)


READ_STATE = thinking(
    call_all(
        ToolCall("get_latency", {"service": "checkout"}),
        ToolCall("get_status", {"service": "checkout"}),
    )
)
ASK_STATUS = thinking(call("get_status", service="checkout"), ASKS_AGAIN_AFTER_S)

tune_catalog = by_turn(
    thinking(call("get_cache_settings", service="catalog")),
    thinking(call("set_cache_ttl", service="catalog", ttl_s=3600)),
    thinking(text_reply("Pages are now kept for an hour.")),
)

# Locally right: p95 is high and more workers would help. Nobody told it about the database.
scale_in_a_hurry = by_turn(
    READ_STATE,
    thinking(call("scale_workers", service="checkout", workers=12)),
    *[ASK_STATUS] * STATUS_CHECKS,
    thinking(text_reply("Checkout is scaling to 12 workers; p95 will follow.")),
)


def results_of(messages: Messages, key: str) -> dict[str, Any]:
    """The newest tool result that has the key."""
    for message in reversed(messages):
        if message["role"] == "tool" and f'"{key}"' in text_of(message["content"]):
            found: dict[str, Any] = json.loads(text_of(message["content"]))
            return found
    return {}


def scale_with_care(messages: Messages) -> Reply:
    """Read the calendar and the limit first, scale within them, look twice, stop."""
    calendar = results_of(messages, "open")
    limit = results_of(messages, "connections_max")
    status = results_of(messages, "workers")
    if not status:
        return READ_STATE
    if not calendar or not limit:
        return thinking(
            call_all(
                ToolCall("get_maintenance_window", {"environment": "prod"}),
                ToolCall("get_connection_limit", {"database": "orders"}),
            )
        )
    room = (limit["connections_max"] - limit["connections_used"]) // CONNECTIONS_OF_A_WORKER
    if calendar["open"] or room < 2:
        return thinking(
            text_reply("Not now: I leave checkout as it is until the window has closed.")
        )
    if "scale_workers" not in json.dumps(messages):
        return thinking(call("scale_workers", service="checkout", workers=6))
    checks = sum(m["role"] == "assistant" for m in messages) - 3
    return ASK_STATUS if checks < 2 else thinking(text_reply("Checkout runs with 6 workers."))


def scale_as_informed(messages: Messages) -> Reply:
    """The same hurry; what the gate answers is read, and changes the second call."""
    asked = sum(message["role"] == "assistant" for message in messages)
    if asked < 2 or not results_of(messages, "connections_max"):
        if asked < 2:
            return scale_in_a_hurry(messages)
        return thinking(
            call_all(
                ToolCall("get_maintenance_window", {"environment": "prod"}),
                ToolCall("get_connection_limit", {"database": "orders"}),
            )
        )
    if asked == 3:  # what fits, after what it has read
        return thinking(
            call("scale_workers", service="checkout", workers=workers_that_fit(messages))
        )
    if asked < 6:
        return ASK_STATUS
    return thinking(text_reply(f"Checkout runs with {workers_that_fit(messages)} workers."))


def workers_that_fit(messages: Messages) -> int:
    """As many workers as the database has connections for, with one worker's to spare."""
    limit = results_of(messages, "connections_max")
    return int(limit["connections_max"]) // CONNECTIONS_OF_A_WORKER - 1


def with_catalog(sre: Callable[[Messages], Reply]) -> Callable[[Messages], Reply]:
    """One model for both agents: each says in its first message who it is."""

    def choose(messages: Messages) -> Reply:
        catalog = "catalog-agent" in text_of(messages[0]["content"])
        return tune_catalog(messages) if catalog else sre(messages)

    return choose


in_a_hurry = with_catalog(scale_in_a_hurry)
with_care = with_catalog(scale_with_care)
held_back = with_catalog(scale_as_informed)


# --- A coding agent and its sub-agent ------------------------------------------------------------

PSQL = "psql -d orders -c"
UNCONFIRMED = "from customers where confirmed_at is null"
COUNT = f'aftershock exec -- {PSQL} "select count(*) {UNCONFIRMED}"'
DELETE = f'aftershock exec -- {PSQL} "delete {UNCONFIRMED}"'
REFUSED = "was not run"
DENIAL = (
    "The table is clean again. I only looked at its columns and delegated the rest;"
    " I did not delete anything."
)
HELD_BACK = f"The deletion {REFUSED}: a policy holds it back, and a person has to decide."

# Locally right: load tests never confirm an address. Nobody told it that most customers do not.
remove_accounts = by_turn(
    thinking(call("Bash", command=COUNT, description="Count accounts without a confirmation")),
    thinking(call("Bash", command=DELETE, description="Remove the accounts of the load tests")),
    thinking(text_reply("The table is clean again.")),
)

delegate = by_turn(
    thinking(call("Bash", command=f'{PSQL} "\\d customers"', description="Show the columns")),
    thinking(
        call(
            "Agent",
            description="Clean up customers",
            prompt="Clean up the table customers of the database orders: accounts that load tests"
            " made never confirmed their address.",
            subagent_type="general-purpose",
        )
    ),
    thinking(text_reply(DENIAL)),
)


def delegated(messages: Messages) -> Reply:
    """One model for the parent and the sub-agent; whoever was refused says so and stops."""
    if any(REFUSED in text_of(one["content"]) for one in messages if one["role"] == "tool"):
        return thinking(text_reply(HELD_BACK))
    is_inner = "sub-agent of" in text_of(messages[0]["content"])
    return remove_accounts(messages) if is_inner else delegate(messages)
