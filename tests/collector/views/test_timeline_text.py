"""Tests of the timeline as text: the golden picture, narrow screens, plain pipes."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from aftershock.model import Chart, StepKind
from aftershock_collector import wording
from aftershock_collector.views import chart
from aftershock_collector.views.html import timeline_document
from aftershock_collector.views.terminal import timeline_text
from aftershock_collector.views.timeline import Timeline, lay_out
from tests.support import incident

GOLDEN = Path(__file__).parents[2] / "data" / "incident.timeline.txt"


def whole() -> Timeline:
    return lay_out(incident.steps(), incident.claims(), [incident.impact(), incident.harmless()])


def printed(width: int, *, colours: bool) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=colours, color_system="standard" if colours else None
    )
    timeline_text.show(whole(), console)
    return out.getvalue()


def test_the_incident_reads_as_the_golden_text_says() -> None:
    assert timeline_text.plain(whole()) == GOLDEN.read_text(encoding="utf-8")


def test_a_pipe_gets_the_same_text_whatever_the_width() -> None:
    assert printed(40, colours=False) == timeline_text.plain(whole())


def test_a_narrow_terminal_wraps_sentences_under_their_column() -> None:
    lines = printed(80, colours=True).splitlines()
    table = [Console().render_str(line).plain for line in lines]
    (first,) = [n for n, line in enumerate(table) if "▲ alarm missing_fact" in line]

    assert "\x1b[" in "".join(lines)
    assert len(table[first + 1]) - len(table[first + 1].lstrip()) > 30


def test_several_agents_of_one_name_are_told_apart_by_their_run() -> None:
    other = [replace(step, run_id="zzzz1234", agent="sre-bot") for step in incident.steps()]
    names = timeline_text.lane_names(lay_out([*incident.steps(), *other])).values()

    assert "sre-bot@9f3c" in names
    assert "sre-bot@zzzz" in names


def test_a_step_that_names_no_agent_belongs_to_the_one_around_it() -> None:
    frame = incident.plain("outer", StepKind.AGENT, "planner", 0, agent="planner")
    inner = incident.plain("inner", StepKind.INFERENCE, "m", 1, agent=None, parent_id="outer")
    loose = incident.plain("loose", StepKind.INFERENCE, "m", 2, agent=None, parent_id="gone")

    assert [lane.agent for lane in lay_out([frame, inner, loose]).lanes] == ["planner"]


def test_hostile_names_print_no_control_sequences() -> None:
    hostile = replace(incident.tool("x", "\x1b[31mred\x07\nnext", 1, 1), agent="\x1b]0;title\x07")
    text = timeline_text.plain(lay_out([hostile]))

    assert "\x1b" not in text
    assert "\x07" not in text
    assert len(text.splitlines()) == 3


def test_whether_a_target_answers_is_shown_as_it_was_measured_and_falls_where_it_fell() -> None:
    """Series hold one minus it; `up 0` for a target that answers would read as down."""
    up = Chart("service/checkout", "up", "1", (1, 2, 3), (0.0, 0.0, 1.0), 0.0, 0.0, 0.1)
    plot = chart.plot_of(up, 2, 0.9)

    assert [value for _, value in plot.points] == [1.0, 1.0, 0.0]
    assert plot.band == (0.9, 1.0, 1.0)
    assert [plot.words(value) for value in (1.0, 0.0)] == ["1", "0"]
    assert wording.quantity(0.25, "1", "request_success_ratio") == "75 %"


def test_the_goal_of_a_run_stands_at_its_beginning() -> None:
    laid = replace(whole(), goals={incident.RUN: "bring p95 under 300 ms"})

    assert "goal: bring p95 under 300 ms" in timeline_text.plain(laid).splitlines()[1]
    assert "Goal: bring p95 under 300 ms" in timeline_document.render(laid)
