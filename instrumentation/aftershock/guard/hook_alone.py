"""The hook without a collector: what the policy here says for that case, by the call's tier."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aftershock.approval import Gate
from aftershock.gate.hooks import answer, read_event
from aftershock.policy.policy import EMPTY, Policy, tier_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT = "The collector of Aftershock had to be asked about this call and did not answer"


def without_collector(
    agent: str, event: Mapping[str, Any], error: str, place: Path | None = None
) -> dict[str, Any]:
    """The answer to an event. Reads pass; what has an effect is asked about, or as named."""
    call = read_event(agent, event)
    if call is None:
        return {}
    policy = policy_at(place or default_place())
    gate = policy.gate.when_unreachable(tier_of(policy, call.tool, call.arguments))
    text = "" if gate is Gate.ALLOW else f"{TEXT} ({error[:200]})."
    return answer(call.agent, gate, text)


def default_place() -> Path:
    """Where this process's policy is."""
    return Path(os.environ.get("AFTERSHOCK_POLICY") or "aftershock.yaml")


def policy_at(place: Path) -> Policy:
    """The policy of a file; an empty one where there is none, or it cannot be obeyed."""
    try:
        import yaml  # noqa: PLC0415 (15 ms that only this case pays)

        document: Any = yaml.safe_load(place.read_bytes())
        return Policy.from_mapping(document or {})
    except Exception:  # noqa: BLE001 (then the defaults hold, which let no effect pass in silence)
        return EMPTY
