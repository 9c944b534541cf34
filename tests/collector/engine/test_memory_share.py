"""Live runs give way as the process nears the bound of its memory, and no more than they must."""

from __future__ import annotations

from aftershock_collector.engine.memory_share import MemoryShare

MB = 1_000_000


def test_while_there_is_room_live_runs_may_take_their_share() -> None:
    share = MemoryShare(512 * MB)

    assert share.allowed(300 * MB, 100 * MB) == share.most == 192 * MB


def test_near_the_bound_live_runs_give_way_by_what_is_too_much() -> None:
    share = MemoryShare(500 * MB)

    assert share.allowed(465 * MB, 150 * MB) == 110 * MB


def test_what_was_freed_is_used_again_and_costs_no_more_runs() -> None:
    share = MemoryShare(500 * MB)
    share.allowed(465 * MB, 150 * MB)

    assert share.allowed(466 * MB, 110 * MB) == 110 * MB  # freed, and not given back
    assert share.allowed(490 * MB, 110 * MB) == 45 * MB  # it still grows
    assert share.allowed(400 * MB, 45 * MB) == share.most


def test_a_few_runs_stay_whatever_fills_the_memory() -> None:
    share = MemoryShare(500 * MB)

    assert share.allowed(5_000 * MB, 150 * MB) == 10 * MB
