"""Tests of the self-contained page: what it shows, and that nothing can break out of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as values

from aftershock.model import Chart, Level, Step
from aftershock_collector.notify.page import PageLink
from aftershock_collector.views import chart
from aftershock_collector.views.chart import Plot
from aftershock_collector.views.html import templates, time_axis, timeline_document
from aftershock_collector.views.timeline import Timeline, lay_out
from tests.support import incident
from tests.support.browser import DESK, opened
from tests.support.desk import page_of

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'`--><svg/onload=alert(1)>"
)


class Reader(HTMLParser):
    """What a browser would see: elements with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.data = ""
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script" and data.startswith("{"):
            self.data = data
        elif not self._in:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def classed(self, name: str) -> list[dict[str, str | None]]:
        return [a for _, a in self.elements if name in (a.get("class") or "").split()]


def whole() -> Timeline:
    return lay_out(incident.steps(), incident.claims(), [incident.impact(), incident.harmless()])


def read(timeline: Timeline, **more: object) -> Reader:
    return Reader(timeline_document.render(timeline, **more))  # pyright: ignore[reportArgumentType]


def test_the_page_needs_no_network() -> None:
    text = timeline_document.render(whole())

    assert re.findall(r"""(?:src|href)\s*=|url\(["']?\w+:|@import""", text) == []
    assert "default-src 'none'" in text


def test_only_the_script_that_was_hashed_may_run() -> None:
    text = timeline_document.render(whole())
    bodies = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()

    assert len(bodies) == 1
    assert f"script-src 'sha256-{digest}'" in text


def hostile(step: Step) -> Step:
    action = None if step.action is None else replace(step.action, tool=HOSTILE, targets=(HOSTILE,))
    return replace(step, name=HOSTILE, agent=HOSTILE, action=action, error=HOSTILE)


def test_hostile_names_cannot_break_out_of_the_page() -> None:
    judged = replace(
        incident.impact(),
        tool=HOSTILE,
        agent=HOSTILE,
        entity=HOSTILE,
        context_gap=(HOSTILE,),
        charts=tuple(replace(c, entity=HOSTILE, metric=HOSTILE + c.metric, unit=HOSTILE)
                     for c in incident.charts()),
    )  # fmt: skip
    finding = replace(incident.loop().finding, summary=HOSTILE, agent=HOSTILE, facts=(HOSTILE,))
    claim = replace(incident.loop(), finding=finding)
    laid = lay_out(map(hostile, incident.steps()), [claim], [judged])
    page = replace(page_of(claim), links=(PageLink(HOSTILE, "http://x/" + HOSTILE),))
    dirty = read(laid, pages=[(HOSTILE, incident.at(1), page)])
    clean = read(whole(), pages=[("webhook", incident.at(1), page_of(claim))])

    assert len(dirty.of("script")) == len(clean.of("script")) == 2
    assert dirty.of("img") == []
    assert {name for name, _ in dirty.elements} <= {name for name, _ in clean.elements}
    assert [a for _, a in dirty.elements for key in a if key.startswith("on")] == []
    assert HOSTILE in dirty.text


@given(values.text())
def test_text_in_a_template_is_always_text(text: str) -> None:
    template = templates.environment().from_string(
        """<p title="{{ text }}">{{ text }}</p><script>{{ text | tojson }}</script>"""
    )
    found = template.render(text=text)
    data = found.partition("<script>")[2].removesuffix("</script>")

    assert [name for name, _ in Reader(found).elements] == ["p", "script"]
    assert json.loads(data) == text
    assert "<" not in data


def test_a_template_that_lacks_a_name_is_an_error_and_not_an_empty_page() -> None:
    with pytest.raises(jinja2.UndefinedError):
        templates.render("runs.html", runs=[], served=True)


def test_findings_stand_above_the_lanes_with_their_sentence() -> None:
    page = read(whole())
    order = [a["class"] for a in page.classed("row") if a["class"]]

    assert order == [
        "row scale-row",
        "row finding alarm", "row finding alarm", "row finding alarm",
        "row lane", "row lane",
        "row plot sure", "row plot sure", "row plot", "row plot",
    ]  # fmt: skip
    assert "sre-bot called get_status 7 times with the same arguments" in page.text


def test_every_step_is_on_its_lane_with_words_for_those_who_do_not_see_it() -> None:
    laid = whole()
    bars = [a for a in read(laid).classed("bar") if "data-n" in a]
    spoken = [a["aria-label"] for a in bars]

    assert len(bars) == sum(len(lane.steps) for lane in laid.lanes)
    assert "scale_deployment → service/checkout, 12:03:41, 3.2 s" in spoken
    assert "get_status, 12:05:08, not over" in spoken


def test_an_open_step_is_hatched_and_a_failed_one_marked() -> None:
    classes = [a["class"] for a in read(whole()).classed("bar") if "data-n" in a]

    assert classes.count("bar read open") == 1
    assert classes.count("bar effect bad") == 1
    assert classes.count("bar read bad") == 1


def test_series_lie_on_the_same_axis_with_the_band_that_was_frozen() -> None:
    page = read(whole())
    labels = [a["aria-label"] for a in page.of("svg") if a.get("role") == "img"]

    assert len(page.classed("band")) == 4
    assert labels[0] == (
        "service/checkout latency_p99, usually 172 ms to 248 ms; "
        "after the action at most 1.93 s; now 1.9 s"
    )


def test_rivals_are_shown_with_no_agent_action_among_them() -> None:
    text = read(whole()).text

    assert "no agent action" in text
    assert "docs-bot's restart_service" in text
    assert "very unlikely by chance, 312 windows compared" in text
    assert "only 6 minutes of history" in text
    assert "db/orders connections were at 94 % of their limit for 2 minutes" in text
    assert "No metric evidence that docs-bot's restart_service degraded service/docs (3 %)" in text


@pytest.mark.parametrize(("probability", "red"), [(0.91, True), (0.5, True), (0.49, False)])
def test_nothing_below_one_half_is_red(probability: float, red: bool) -> None:
    judged = incident.impact(probability, "possible")
    claim = incident.blamed(probability, "possible", Level.WARN if not red else Level.ALARM)
    page = read(lay_out(incident.steps(), [claim], [judged]))

    assert bool(page.classed("sure")) is red
    assert bool(page.classed("alarm")) is red


@pytest.mark.parametrize(
    ("label", "words"),
    [("certain", "scale_deployment certain"), ("probable", "scale_deployment 91 %")],
)
def test_the_flag_of_an_action_is_certain_or_has_a_probability(label: str, words: str) -> None:
    judged = incident.impact(0.91, label)
    page = timeline_document.render(lay_out(incident.steps(), [], [judged]))

    assert words in page


def test_the_pages_that_were_sent_are_shown_as_they_were() -> None:
    page = page_of(incident.loop())
    shown = read(whole(), pages=[("webhook", incident.at(71), page)])

    assert "webhook · 12:04:21 UTC · opened" in shown.text
    assert " ".join(page.text.split()) in shown.text
    assert "Nobody was paged." in read(whole()).text


def test_a_run_without_findings_or_series_is_a_calm_page() -> None:
    page = read(lay_out(incident.steps()))

    assert "sre-bot, docs-bot: nothing found in 29 steps" in page.text
    assert page.classed("sure") + page.classed("alarm") + page.classed("plot") == []


def test_extra_series_are_drawn_without_a_band() -> None:
    points = tuple((incident.at(n), float(n)) for n in range(0, 100, 5))
    page = read(whole(), extra=[Plot("service/other", "latency_p99", "s", points)])

    assert len(page.classed("plot")) == 5
    assert len(page.classed("band")) == 4


def test_a_baseline_of_hours_does_not_press_the_run_into_a_corner() -> None:
    long = incident.chart(
        "service/checkout", "latency_p99", "s", 0.2, lambda _: 0.9, start=-9_000, end=9_000
    )
    judged = replace(incident.impact(), charts=(long,))
    laid = lay_out(incident.steps(), [], [judged])
    axis = time_axis.axis_of(laid, timeline_document.plots_of(laid.impacts, ()))

    assert (laid.ended_ns - laid.began_ns) / (axis.ended_ns - axis.began_ns) > 0.4


def test_very_long_runs_stay_bounded_and_say_so() -> None:
    steps = [incident.tool(f"s{n}", "read", n, 0.5, arguments=str(n)) for n in range(5_000)]
    page = read(lay_out(steps))

    assert len([a for a in page.classed("bar") if "data-n" in a]) == time_axis.BARS_MAX
    assert "1,000 later steps are not drawn" in page.text
    assert "3,000 later lines are not shown." in page.text


def test_values_that_are_not_numbers_are_gaps() -> None:
    nan = float("nan")
    given_chart = Chart("e", "m", "s", (1, 2, 3), (1.0, nan, 2.0), nan, nan, nan)
    plot = chart.plot_of(given_chart, None, None)

    assert plot.points == ((1, 1.0), (3, 2.0))
    assert plot.band is None


@settings(max_examples=50)
@given(values.lists(values.floats(0, 1e6), min_size=1, max_size=5_000))
def test_thinning_keeps_the_peaks(numbers: list[float]) -> None:
    points = list(enumerate(numbers))
    kept = chart.thinned(points, 100)

    assert len(kept) <= max(100, 2)
    assert max(v for _, v in kept) == max(numbers)
    assert min(v for _, v in kept) == min(numbers)
    assert kept == sorted(kept)


@pytest.mark.slow
def test_a_real_browser_runs_the_script_and_reports_no_error(tmp_path: Path) -> None:
    """The script redraws the scale when it starts, which only works if the policy lets it run."""
    place = tmp_path / "page.html"
    place.write_text(timeline_document.render(whole()), encoding="utf-8")
    reported: list[str] = []
    with opened(DESK) as page:
        page.on("console", lambda message: reported.append(message.text))
        page.on("pageerror", lambda error: reported.append(str(error)))
        page.goto(place.as_uri())
        drawn = page.content()

    assert reported == []
    assert '<div class="grid" aria-hidden="true"><i style=' in drawn
