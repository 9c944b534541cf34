"""What the policies of a process want of one call besides a decision: assumptions, a canary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aftershock.approval import Gate
from aftershock.gate.admission import STRICTNESS
from aftershock.gate.explaining import given_with
from aftershock.policy.admission import Mode
from aftershock.policy.filled_safeguards import canary_call, metric_assumptions
from aftershock.policy.policy import Policy, rule_of

if TYPE_CHECKING:
    from aftershock.gate.decide import Call
    from aftershock.policy.safeguards import CanaryCall, MetricAssumption


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What is wanted of one call."""

    assumes: tuple[MetricAssumption, ...] = ()
    canary: CanaryCall | None = None
    if_false: Gate = Gate.DENY
    if_unknown: Gate = Gate.ASK
    explanation: str = ""  # that an argument of the call gives
    dry_run: bool = False  # whoever approves is shown what it would do

    @property
    def is_asked(self) -> bool:
        """True where the collector knows what is wanted."""
        return bool(self.assumes) or self.canary is not None

    @property
    def body(self) -> dict[str, Any]:
        """What the collector is asked, besides the action."""
        if not self.is_asked:
            return {}
        return {
            "assumes": [asdict(one) for one in self.assumes],
            "canary": None if self.canary is None else asdict(self.canary),
            "if_false": str(self.if_false),
            "if_unknown": str(self.if_unknown),
        }


NONE = Safeguards()


def in_force(policies: Sequence[Policy]) -> list[Policy]:
    """Policies whose gate is on."""
    return [one for one in policies if one.gate.mode is not Mode.OFF]


def are_wanted(tool: str, policies: Sequence[Policy]) -> bool:
    """True where the collector must be asked about calls of a tool."""
    for policy in policies:
        rule = rule_of(policy, tool)
        if (rule.assumes or rule.canary is not None) and policy.gate.mode is not Mode.OFF:
            return True
    return False


def safeguards_for(call: Call, policies: Sequence[Policy], targets: tuple[str, ...]) -> Safeguards:
    """What is wanted of a call by a process's own policy and, after it, the operator's."""
    wanting = in_force(policies)
    if not wanting:
        return NONE
    tool, arguments = call.tool, call.arguments
    assumes = [
        one for policy in wanting for one in metric_assumptions(policy, tool, arguments, targets)
    ]
    canaries = [canary_call(policy, tool, arguments, targets) for policy in wanting]
    texts = [given_with(tool, arguments, policy) for policy in wanting]
    dry_runs = [rule_of(policy, tool).dry_run for policy in wanting]
    return Safeguards(
        tuple(dict.fromkeys(assumes)),
        next((one for one in reversed(canaries) if one is not None), None),
        stricter(policy.gate.false_assumptions for policy in wanting),
        stricter(policy.gate.unknown_assumptions for policy in wanting),
        next(filter(None, texts), ""),
        next((one for one in reversed(dry_runs) if one is not None), False),
    )


def stricter(gates: Iterable[Gate]) -> Gate:
    """The strictest of some gates."""
    return max(gates, key=STRICTNESS.index)
