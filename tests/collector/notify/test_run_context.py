"""Which call a page names: the one that its finding is about, however much was read before it."""

from __future__ import annotations

from aftershock.policy.policy import Policy
from aftershock.rules.dropped_fact import dropped_fact
from aftershock.rules.missing_fact import missing_fact
from aftershock_collector.notify.run_context import of_steps
from tests.support.scenario import Scenario, run

POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale": {
                "tier": "provision",
                "targets": [{"service.name": "{service}"}],
                "requires": [{"fact": "connection_limit", "subject": "orders"}],
                "undo": "scale {service} back",
            },
            "get_limit": {"provides": [{"fact": "connection_limit", "subject": "{database}"}]},
        }
    }
)


def reading(database: str) -> Scenario:
    played = run(policy=POLICY).with_messages().receives_message(text="scale checkout").thinks()
    return played.calls("get_limit", database=database).returns("50 at most").thinks()


def test_a_fact_that_was_read_and_dropped_is_not_the_call_that_the_page_is_about() -> None:
    played = reading("orders").forgets().thinks().calls("scale", service="checkout")
    (finding,) = played.says(dropped_fact)
    context = of_steps(played.steps, finding, POLICY)

    assert (context.call or "").startswith("scale")
    assert (context.undo or "").startswith("scale")
    assert context.acted_at_ns == played.steps[-1].began_at_ns


def test_a_fact_of_something_else_is_not_the_call_that_the_page_is_about() -> None:
    played = reading("billing").calls("scale", service="checkout")
    (finding,) = played.says(missing_fact)

    assert (of_steps(played.steps, finding, POLICY).call or "").startswith("scale")
