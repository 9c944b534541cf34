"""What a target itself went through that may explain its damage as well as an action does."""

from __future__ import annotations

from collections.abc import Collection

from aftershock_collector.impact.competition import DEPENDENCY_LOG_ODDS, explained_by
from aftershock_collector.impact.entries import Entry, traffic_grew
from aftershock_collector.impact.evidence import Scene
from aftershock_collector.impact.trends import died_growing


def own_reasons(
    entry: Entry, acted_on: Collection[str], scene: Scene, no_agent_log_odds: float
) -> dict[str, float]:
    """Reasons in words, with their log-odds against "the action did it".

    Args:
        entry: one candidate on one of its targets.
        acted_on: the targets of all candidates.
        scene: of the round.
        no_agent_log_odds: of "no agent action".
    """
    if not entry.may_be_suspected(no_agent_log_odds):
        return {}
    found: dict[str, float] = {}
    traffic = _traffic(entry, acted_on, scene)
    if traffic is not None:
        found[f"more traffic than usual reached {entry.target}"] = traffic
    metric = _grown(entry, scene)
    if metric is not None:
        words = f"{metric} of {entry.target} had grown since before this action, until it died"
        found[words] = DEPENDENCY_LOG_ODDS
    return found


def _traffic(entry: Entry, acted_on: Collection[str], scene: Scene) -> float | None:
    """Log-odds of "more traffic than usual" against "the action did it"; None: there was none.

    Where more work reached its callers too, on which no agent acted, it came from outside. Where
    nothing is measured of any caller, the action may as well have brought it.
    """
    effect_ns = entry.opened.effect_ns
    if not traffic_grew(entry.evidence, effect_ns, entry.onset):
        return None
    callers = scene.relations.callers(entry.target) - {*acted_on}
    judged = scene.judge([(caller, effect_ns) for caller in callers])
    if not judged:
        return min(0.0, explained_by(entry.evidence.arrivals))
    busier = [
        each.arrivals for each in judged.values() if traffic_grew(each, effect_ns, entry.onset)
    ]
    return explained_by(max(busier)) if busier else None


def _grown(entry: Entry, scene: Scene) -> str | None:
    """The metric of what had grown until the target died; None: it did not, or died at once."""
    onset, effect_ns = entry.onset, entry.opened.effect_ns
    if onset is None or onset.low_ns <= effect_ns + (onset.high_ns - onset.low_ns):
        return None  # what dies within a scrape of an action was killed by it
    return died_growing(scene.resources(entry.target), effect_ns, onset)
