"""failed_fact without a policy: what the agent itself looked up in vain before it acted."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.failed_fact import failed_fact
from tests.support.scenario import Scenario, run


def levels(acting: Scenario) -> list[Level]:
    return [finding.level for finding in acting.says(failed_fact)]


def test_what_is_destroyed_after_two_look_ups_failed_pages() -> None:
    bucket = run().calls("get_legal_hold", bucket="claims-2019").fails("503 try later")
    bucket.calls("list_locks", bucket="claims-2019").fails("TimeoutError")
    database = run().calls("get_replication_lag", db="orders-replica").returns("Error: timed out")
    database.calls("list_connections", db="orders-replica").fails("connection reset")

    bucket.calls("delete_versions", bucket="claims-2019").returns({"deleted": 9})
    database.calls("drop_database", db="orders-replica").returns("dropped")

    assert levels(bucket) == levels(database) == [Level.ALARM]


def test_one_look_up_that_failed_warns_before_something_is_destroyed() -> None:
    acting = run().calls("describe_volume", volume="vol-0a1").returns({"state": "available"})
    acting.calls("get_snapshots", volume="vol-0a1").fails("503 try later")

    acting.calls("delete_volume", volume="vol-0a1")
    assert levels(acting) == [], "it may still be refused"
    assert levels(acting.returns("deleted")) == [Level.WARN]


def test_a_look_up_that_worked_at_last_or_found_nothing_is_silent() -> None:
    again = run().calls("get_hold", case="C-118").fails("TimeoutError")
    again.calls("get_hold", case="C-118").returns({"hold": None})
    absent = run().calls("get_service", name="canary-7").fails("Error (NotFound): not found")

    assert levels(again.calls("delete_case", case="C-118").returns("deleted")) == []
    assert levels(absent.calls("delete_ingress", name="canary-7").returns("deleted")) == []


def test_a_change_that_can_be_undone_pages_only_where_nothing_is_known_of_the_thing() -> None:
    blind = run().calls("get_stock", store="zrh-1").fails("502 bad gateway")
    blind.calls("get_prices", store="zrh-1").fails("502 bad gateway")
    seeing = run().calls("get_stock", store="zrh-1").returns({"pieces": 4})
    seeing.calls("get_prices", store="zrh-1").fails("502 bad gateway")

    for acting in (blind, seeing):
        acting.calls("update_prices", store="zrh-1", factor=1.1).returns({"updated": 12})

    assert levels(blind) == [Level.ALARM]
    assert levels(seeing) == []


def test_look_ups_of_other_things_do_not_count() -> None:
    acting = run().calls("get_hold", case="C-118").fails("TimeoutError")
    acting.calls("get_owner", case="C-118").fails("TimeoutError")

    assert levels(acting.calls("delete_case", case="C-119").returns("deleted")) == []
