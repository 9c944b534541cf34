"""stale_fact: it acted on a world that was no longer there."""

from __future__ import annotations

from aftershock.policy import Policy
from tests.scenario import run
from tests.scenarios.playing import Scenarios, play

POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale_deployment": {
                "tier": "provision",
                "targets": [{"service.name": "{name}"}],
                "requires": [
                    {"fact": "maintenance_window", "subject": "prod", "max_age": "10m"},
                    {"fact": "replicas", "subject": "{name}"},
                ],
            },
            "get_calendar": {
                "provides": [{"fact": "maintenance_window", "subject": "{environment}"}]
            },
            "get_deployment": {"provides": [{"fact": "replicas", "subject": "{name}"}]},
        }
    }
)


def too_old() -> str:
    played = run(policy=POLICY).calls("get_calendar", environment="prod").returns("no window today")
    played.after(700).calls("get_deployment", name="checkout").returns("3 replicas")
    return play(played.calls("scale_deployment", name="checkout").returns("scaled").ends())


def by_itself() -> str:
    played = run(policy=POLICY).calls("get_calendar", environment="prod").returns("no window today")
    played.calls("get_deployment", name="checkout").returns("3 replicas")
    played.calls("scale_deployment", name="checkout", replicas=6).returns("scaled").thinks(100)
    return play(
        played.calls("scale_deployment", name="checkout", replicas=9).returns("scaled").ends()
    )


def read_again() -> str:
    """Legitimate: it looked again after it had changed something."""
    played = run(policy=POLICY).calls("get_calendar", environment="prod").returns("no window today")
    for replicas in (6, 9):
        played.calls("get_deployment", name="checkout").returns(f"{replicas - 3} replicas")
        played.calls("scale_deployment", name="checkout", replicas=replicas).returns("scaled")
    return play(played.ends())


SCENARIOS: Scenarios = {
    "read too long ago": too_old,
    "changed by its own action": by_itself,
    "read again in between": read_again,
}
