"""What happens to an attribution after it was made: recovery, the end of the window, reporting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aftershock.grade import SUSPECTED_FROM, grade_of
from aftershock.model import Change, Impact
from aftershock_collector.impact.aftermath import departed_again, recovered_at, refreshed
from aftershock_collector.impact.attribution import unmeasured
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.shared import NOT_THIS
from aftershock_collector.metrics.series import SeriesSource
from aftershock_collector.wording import NO_AGENT

FOLLOW_S = 86_400.0  # a degradation that lasts a day is no longer news
FOLLOW_EVERY_NS = 10**9  # how often a degradation is asked whether it is over
REDRAW_EVERY_NS = 30 * 10**9  # a chart that ends seconds after an action looks like recovery
REPORTED_STEP = 0.05  # an attribution is reported again when its probability rose by this much


def check_recovery(
    opened: OpenAction, now_ns: int, source: SeriesSource, acted_ns: Mapping[str, Sequence[int]]
) -> None:
    """Record when the blamed series came back into its band, and that it left it again.

    Where anybody acted in between, what follows is another incident, and is judged as one.

    Args:
        opened: the action.
        now_ns: the moment.
        source: the series.
        acted_ns: entity → when something was done to it, ascending.
    """
    best = opened.best
    if best is None or best.change is None or not best.charts:
        return
    if not is_damage(best) or (opened.following and now_ns < opened.next_ns):
        return
    if opened.following:
        opened.next_ns = now_ns + FOLLOW_EVERY_NS
    series = source.window([best.entity], best.charts[0].times_ns[0], now_ns)
    if best.recovered_at_ns is not None:
        places = {best.entity, *opened.targets}
        if any(at > best.recovered_at_ns for place in places for at in acted_ns.get(place, ())):
            return
        if departed_again(series, best.change, best.charts[0], best.recovered_at_ns):
            opened.best = replace(
                best, recovered_at_ns=None, change=replace(best.change, ended_at_ns=None)
            )
        return
    at_ns = recovered_at(series, best.change, best.charts[0])
    if at_ns is not None:
        opened.best = replace(
            best,
            recovered_at_ns=at_ns,
            change=replace(best.change, ended_at_ns=at_ns),
            charts=refreshed(best.charts, series, opened.effect_ns),
        )


def redraw(opened: OpenAction, now_ns: int, source: SeriesSource) -> None:
    """Let the charts of a degradation go on while it is observed; what was judged stays."""
    best = opened.best
    if best is None or not best.charts or not is_damage(best) or best.recovered_at_ns is not None:
        return
    if now_ns - best.charts[0].times_ns[-1] < REDRAW_EVERY_NS:
        return
    series = source.window([best.entity], best.charts[0].times_ns[0], now_ns)
    opened.best = replace(best, charts=refreshed(best.charts, series, opened.effect_ns))


def is_damage(best: Impact) -> bool:
    """True where something named is behind a change, be it this action or a deploy by others."""
    unexplained = [each.probability for each in best.alternatives if each.name == NO_AGENT]
    explained = 1.0 - sum(unexplained) if unexplained and best.probability is not None else 0.0
    return max(best.strength, explained) >= SUSPECTED_FROM


def resolve(opened: OpenAction, change: Change, ended_at_ns: int) -> None:
    """Close the attribution whose change was this alert."""
    best = opened.best
    if best is None or best.change is None or best.change.id != change.id:
        return
    if best.recovered_at_ns is None:
        opened.best = replace(best, change=change, recovered_at_ns=ended_at_ns)


def settle(opened: OpenAction, now_ns: int, source: SeriesSource, blind: tuple[str, ...]) -> None:
    """End the window: the attribution stands, and only recovery is still waited for."""
    opened.following = True
    best = opened.best
    if best is None:
        silent = tuple(f"nothing arrived from {t} since the action" for t in opened.targets)
        opened.best = unmeasured(opened, now_ns, silent + blind)
    elif best.charts:
        series = source.window([best.entity], best.charts[0].times_ns[0], now_ns)
        opened.best = replace(best, charts=refreshed(best.charts, series, opened.effect_ns))


def is_over(opened: OpenAction, now_ns: int) -> bool:
    """True where nothing more will be reported of this action."""
    best = opened.best
    unsettled = (
        best is not None
        and best.change is not None
        and best.recovered_at_ns is None
        and best.strength >= SUSPECTED_FROM
    )
    return not unsettled or now_ns > opened.until_ns + FOLLOW_S * 1e9


def is_reportable(best: Impact, reported: Impact | None, *, settled: bool) -> bool:
    """True where a person would want the difference, or the rest of the chart."""
    if reported is None or (settled and best.charts != reported.charts):
        return True
    if drawn_until(best) - drawn_until(reported) >= REDRAW_EVERY_NS and is_damage(best):
        return True
    if best.label != reported.label or best.recovered_at_ns != reported.recovered_at_ns:
        return True
    if best.effect != reported.effect or grade_of(best.strength) != grade_of(reported.strength):
        return True
    rose = (best.probability or 0) - (reported.probability or 0)
    if rose >= REPORTED_STEP or best.missing != reported.missing:
        return True
    return bool(_shared(best) - _shared(reported))


def drawn_until(impact: Impact) -> int:
    """The last moment of the chart that decided; 0 without one."""
    return impact.charts[0].times_ns[-1] if impact.charts else 0


def _shared(impact: Impact) -> set[str]:
    """What the entity has in common with others, and how many they are."""
    return {each.name for each in impact.alternatives if each.name.endswith(NOT_THIS)}
