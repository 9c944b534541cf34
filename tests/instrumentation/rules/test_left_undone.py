"""Parts of a batch that failed for good, and work that had failed, in runs that call it all done."""

from __future__ import annotations

from aftershock.model import Finding
from aftershock.rules.stopped_early import stopped_early
from tests.support.scenario import Scenario, run

CLAIM = "The new rate is set on all products."


def batch(*failing: int, error: str = "product is locked") -> Scenario:
    updating = run()
    for number in range(10):
        updating.calls("update_product", sku=f"sku-{number}", rate=21)
        updating = updating.fails(error) if number in failing else updating.returns({"rate": 21})
    return updating


def findings(played: Scenario, text: str = CLAIM) -> list[Finding]:
    return played.thinks(90, text=text).ends().says(stopped_early)


def test_two_parts_of_a_batch_that_failed_and_are_called_done_page() -> None:
    (finding,) = findings(batch(2, 5))

    assert finding.summary == (
        "The run ended as done, and 2 calls of update_product had failed for things that no later "
        "call dealt with."
    )
    assert findings(batch(2)) == []
    assert (
        findings(batch(2, 5), "8 of 10 products have the new rate, 2 are locked and failed.") == []
    )


def test_what_was_made_up_for_by_any_later_call_is_done() -> None:
    repaired = batch(2, 5)
    for number in (2, 5):
        repaired.calls("unlock_and_update", sku=f"sku-{number}", rate=21).returns({"rate": 21})
    assert findings(repaired) == []


def test_what_is_not_there_or_there_already_needs_nothing() -> None:
    assert findings(batch(2, 5, error="404: no such product")) == []
    assert findings(batch(2, 5, error="the product has that rate already")) == []


def deployed(*later: str, state: str = "ROLLED_BACK") -> Scenario:
    deploying = run().calls("deploy_service", name="web", version="8.1").returns({"id": "d-61"})
    for shown in ("IN_PROGRESS", state):
        deploying.after(60).calls("get_deployment", id="d-61").returns({"state": shown})
    for tool in later:
        deploying.calls(tool, name="web").returns({"ok": True})
    return deploying


def test_work_begun_here_that_ended_badly_and_is_called_done_pages() -> None:
    (finding,) = findings(deployed(), "web 8.1 is deployed.")

    assert finding.summary == (
        "The run ended as done, and get_deployment had last answered that it had failed."
    )
    assert findings(deployed("redeploy_service"), "web 8.1 is deployed.") == []
    assert findings(deployed(state="SUCCEEDED"), "web 8.1 is deployed.") == []
    assert findings(deployed(), "web 8.1 was rolled back, the deploy failed.") == []
