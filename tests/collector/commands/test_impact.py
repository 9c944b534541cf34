"""`aftershock impact`: the verdict of one action, drawn with its frozen band."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.model import Report
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.views.chart import Plot, plot_of
from aftershock_collector.views.terminal.canvas import ACTION, BAND, canvas
from tests.support import incident
from tests.support.commands import Main, printed_data


@pytest.fixture
def home(home: Path) -> Path:
    home.mkdir()
    return home


@pytest.fixture
def judged(home: Path) -> None:
    impacts = (incident.impact(), incident.harmless())
    store = SqliteStore.open(home / "aftershock.db")
    store.record(Report(incident.at(96), impacts=impacts), (), incident.at(96))
    store.close()


@pytest.mark.usefixtures("judged")
def test_an_attribution_says_what_competed_why_and_what_is_missing_under_its_chart(
    main: Main,
) -> None:
    code, text, _ = main("impact", "scale_deployment")

    assert 0 == code
    lines = text.splitlines()
    assert "sre-bot's scale_deployment probably degraded service/checkout (91 %)." == lines[0]
    printed = [
        "8.8 s after the call",
        "service/checkout latency_p99",
        "91 % ██████████████████·· sre-bot's scale_deployment",
        "6 % █··················· no agent action",
        "service/checkout became far more unusual after the call than in 312 earlier windows",
        "db/orders connections were at 94 % of their limit for 2 minutes",
        "only 6 minutes of history",
        'before any evidence "no agent action" is 20 times as likely as one action',
    ]
    assert [] == [one for one in printed if one not in text]
    assert text.index("latency_p99") < text.index("the explanations") < text.index("had not read")
    assert ACTION in text
    assert BAND in text
    assert max(map(len, lines[3:-1])) <= 100


@pytest.mark.usefixtures("judged")
def test_an_action_is_named_by_its_tool_by_its_span_or_as_the_latest(main: Main) -> None:
    named = {name: main("impact", name)[1].splitlines()[0] for name in ("act", "restart", "latest")}

    assert "scale_deployment" in named["act"]
    assert "restart_service" in named["restart"]
    assert named["latest"] == named["act"]
    code, _, err = main("impact", "nothing")
    assert 1 == code
    assert "judged were: scale_deployment, restart_service" in err


@pytest.mark.usefixtures("judged")
def test_programs_get_the_whole_attribution(main: Main) -> None:
    (attribution,) = printed_data(main, "impact", "act")["attributions"]

    assert (0.91, 8.4) == (attribution["probability"], attribution["parts"]["own"])
    assert 4 == len(attribution["charts"])
    assert "no agent action" in [alternative["name"] for alternative in attribution["alternatives"]]


def test_before_anything_is_judged_it_says_what_to_do(main: Main) -> None:
    code, text, _ = main("impact")

    assert (0, True) == (code, "aftershock demo" in text)


def test_the_picture_shows_the_band_the_action_the_rise_and_the_times() -> None:
    plot = plot_of(incident.charts()[0], incident.at(34.2), 0.91)
    lines = list(canvas(plot, 64, 6))

    assert 8 == len(lines)
    assert lines[0].strip().startswith("1.9")
    assert "░" in lines[5]
    assert "░" not in lines[0]
    bar = lines[2].index(ACTION)
    assert all(line[bar] == ACTION or line[bar] > "⠀" for line in lines[:6])
    assert lines[-1].index("↑") == bar
    top = [n for n, letter in enumerate(lines[0]) if letter > "⠀"]
    assert min(top) > bar
    assert "⠀" not in "".join(lines)


@given(
    st.lists(st.floats(-1e12, 1e12), max_size=50),
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
    st.integers(-5, 60),
)
def test_any_series_fits_its_frame(
    values: list[float], band: tuple[float, float, float], acted: int
) -> None:
    low, median, high = sorted(band)
    plot = Plot("e", "m", "s", tuple(enumerate(values)), (low, median, high), acted)
    lines = list(canvas(plot, 30, 5))

    assert len(lines) in {1, 7}
    starts = {line.index("┤") for line in lines if "┤" in line}
    assert len(starts) <= 1
    assert all(len(line) <= max(starts, default=30) + 1 + 30 for line in lines)


def test_an_attribution_without_data_is_two_lines_and_draws_nothing(main: Main, home: Path) -> None:
    silent = replace(
        incident.impact(None, "not enough data"),
        charts=(),
        change=None,
        lead_ns=None,
        alternatives=(),
    )
    store = SqliteStore.open(home / "aftershock.db")
    store.record(Report(incident.at(96), impacts=(silent,)), (), incident.at(96))
    store.close()
    text = main("impact")[1]

    assert text.startswith("Not enough data to say whether")
    assert ACTION not in text
    assert "the explanations" not in text
