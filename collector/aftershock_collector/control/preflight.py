"""Preflight: what is decided about an action before it runs, and what its agent does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from aftershock.approval import Gate
from aftershock.gate.admission import OF_THE_RUN, Code, Reason, admission
from aftershock.gate.decide import Call, decide
from aftershock.gate.orders import Order, Verb, order_for
from aftershock.guard.protocol import order_json, read_reason, reason_json
from aftershock.model import Tier
from aftershock.policy.policy import Policy, ToolDescription, ToolRule, limits_for, rule_of
from aftershock_collector.control.actions import describe_action, parse
from aftershock_collector.control.knowledge import Knowledge


class Preflight:
    """Answers from memory: the operator's policy, orders, and what is known of targets."""

    def __init__(self, policy: Policy, knowledge: Knowledge) -> None:
        self._policy = policy
        # One policy for each tier: caches of rules are kept by policy.
        self._by_tier: Mapping[str, Policy] = {
            str(tier): replace(policy, tools=(ToolRule("*", tier=tier), *policy.tools))
            for tier in Tier
        }
        self.knowledge = knowledge

    def check(  # noqa: PLR0917
        self,
        tool: str,
        tier: str,
        arguments: Mapping[str, Any],
        targets: tuple[str, ...],
        run: str,
        agent: str | None,
        orders: Iterable[Order],
        now_ns: int,
    ) -> dict[str, Any]:
        """The decision, its reasons, and what is unknown to the agent.

        `tier` counts where the operator's policy does not say what the tool can do.
        """
        known = describe_action(self._policy, tool, arguments)
        policy = self._with_tier(tool, tier, known, parsed=parse(tool, arguments) is not None)
        call = Call(tool, arguments, run, agent, targets)
        found = decide(call, policy, limits_for(policy, agent), lambda: None)
        # Its run and its arguments are in the agent's process, which judges them.
        reasons = [one for one in found.reasons if one.code not in OF_THE_RUN]
        order = order_for(orders, run, agent)
        if order is not None and not policy.gate.is_always_open(tool):
            gate = Gate.DENY if order.verb is Verb.STOP else Gate.ASK
            text = f"{order.by} ordered {order.verb} for {order.scope}: {order.because}"
            reasons.append(Reason(Code.ORDER, gate, text))
        # A guard keeps the arguments to itself: then it has filled in the targets, and we cannot.
        own = (known.targets if arguments else ()) or targets or known.targets
        decided = admission(reasons)
        return {
            "decision": str(decided.gate),
            "reasons": [reason_json(reason) for reason in decided.reasons],
            "unknown": self.knowledge.about(own, run, now_ns),
            "targets": list(own),
            "order": None if order is None else order_json(order),
            "mode": str(policy.gate.mode),
        }

    @staticmethod
    def with_reasons(answer: Mapping[str, Any], reasons: Iterable[Reason]) -> dict[str, Any]:
        """An answer with further reasons: the stricter decision."""
        known = [read_reason(one) for one in answer["reasons"]]
        decided = admission((*known, *reasons))
        listed = [reason_json(reason) for reason in decided.reasons]
        return {**answer, "decision": str(decided.gate), "reasons": listed}

    def _with_tier(self, tool: str, tier: str, known: ToolDescription, *, parsed: bool) -> Policy:
        """The policy, which also knows what a command does; else what the asker says of the tool.

        Both count only where the operator's policy names no tier.
        """
        if rule_of(self._policy, tool).tier is not None:
            return self._policy
        return self._by_tier.get(str(known.tier) if parsed else tier, self._policy)
