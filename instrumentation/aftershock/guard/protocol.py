"""What the guard and the collector say to each other: paths, and orders as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftershock.approval import Gate
from aftershock.gate.admission import Reason
from aftershock.gate.orders import Order, Verb
from aftershock.model import Spent
from aftershock.runs.day_spending import DayRow, DaySpent, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

POLL_PATH = "/v1/guard/poll"
TICKETS_PATH = "/v1/guard/tickets"
SPEND_PATH = "/v1/guard/spend"
SPENDING_PATH = "/v1/guard/spending"  # what was used up today
HOOK_PATH = "/v1/guard/hook"
HOOK_TEXT_PATH = "/v1/guard/hook/text"  # the event alone in, what the hook prints out
ORDERS_PATH = "/v1/orders"
PREFLIGHT_PATH = "/v1/preflight"
POLL_S = 25.0  # how long the collector may hold a poll: proxies close what idles for 30 or 60 s


def order_json(order: Order) -> dict[str, Any]:
    """An order as JSON."""
    return {
        "number": order.number,
        "verb": str(order.verb),
        "by": order.by,
        "because": order.because,
        "given_at_ns": order.given_at_ns,
        "run": order.run,
        "agent": order.agent,
    }


def read_order(value: Mapping[str, Any]) -> Order:
    """An order from JSON. Raises KeyError, TypeError or ValueError."""
    run, agent = value.get("run"), value.get("agent")
    return Order(
        int(value["number"]),
        Verb(value["verb"]),
        str(value.get("by") or ""),
        str(value.get("because") or ""),
        int(value.get("given_at_ns") or 0),
        None if run is None else str(run),
        None if agent is None else str(agent),
    )


def day_row_json(row: DayRow) -> dict[str, Any]:
    """A count of a day as JSON."""
    spent = row.used.spent
    return {
        "scope": str(row.scope),
        "name": row.name,
        "steps": spent.steps,
        "tokens": spent.tokens,
        "cost_usd": spent.cost_usd,
        "tool_errors": spent.tool_errors,
        "wall_time_s": row.used.wall_time_s,
    }


def read_day_row(value: Mapping[str, Any]) -> DayRow:
    """A count of a day from JSON. Raises KeyError, TypeError or ValueError."""
    spent = Spent(
        int(value["steps"]),
        int(value["tokens"]),
        float(value["cost_usd"]),
        int(value["tool_errors"]),
    )
    used = DaySpent(spent, float(value["wall_time_s"]))
    return DayRow(Scope(value["scope"]), str(value["name"]), used)


def reason_json(reason: Reason) -> dict[str, Any]:
    """A reason as JSON."""
    return {
        "code": str(reason.code),
        "gate": str(reason.gate),
        "text": reason.text,
        "advice": reason.advice,
        "lines": list(reason.lines),
    }


def read_reason(value: Mapping[str, Any]) -> Reason:
    """A reason from JSON. Raises KeyError, TypeError or ValueError."""
    return Reason(
        str(value["code"]),
        Gate(value["gate"]),
        str(value.get("text") or ""),
        str(value.get("advice") or ""),
        tuple(map(str, value.get("lines") or ())),
    )
