"""`make eval-impact`: was it the agent? The product's verdicts on recorded incidents, beside others.

Every incident goes through a Watch over a series store, as live data does. The command fails where
a bar is missed. AFTERSHOCK_EVAL_DATA names the data, default ../shared/data.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise

import numpy as np

from aftershock_collector.impact import ActionObserver
from aftershock_collector.metrics.series import Family, SeriesStore
from tests.evaluation.impact_baselines import METHODS
from tests.evaluation.impact_incidents import (
    ABLATIONS,
    LAST_ACTION,
    ROUNDS_MAX,
    RUNNING,
    Attributions,
    judge_all,
    judge_commands,
)
from tests.evaluation.recordings import S, data_folder, step
from tests.evaluation.rules import Line
from tests.evaluation.scores import average_precision

INCIDENTS = ("agent", "infra", "reverse")
COMMAND_CANDIDATES = 5  # the root and four others, over every draw of a fixed number
COMMAND_DRAWS = 200
COST_SERIES = 541  # of the largest system in the notes
COST_POINTS = 310


def share(hits: Iterable[bool]) -> tuple[float, str]:
    """A share with its counts."""
    counted = list(hits)
    value = sum(counted) / len(counted) if counted else 0.0
    return value, f"{value:.3f}  ({sum(counted)} of {len(counted)})"


def auroc(bad: Sequence[float], good: Sequence[float]) -> float:
    """Chance that one of the bad scores higher than one of the good."""
    higher, lower = np.array(bad)[:, None], np.array(good)[None, :]
    return float((higher > lower).mean() + 0.5 * (higher == lower).mean())


def least(name: str, figure: tuple[float, str], bar: float) -> Line:
    """A figure that should be high."""
    return Line(name, figure[1], f"≥ {bar:g}", figure[0] >= bar)


def most(name: str, figure: tuple[float, str], bar: float) -> Line:
    """A figure that should be low."""
    return Line(name, figure[1], f"≤ {bar:g}", figure[0] <= bar)


class Judged:
    """Verdicts, and the parts of them that figures are about."""

    def __init__(self, attributions: Iterable[Attributions]) -> None:
        self.all = list(attributions)

    def of(
        self, system: str | None, kind: str, *, k: int | None = None, visible: bool | None = True
    ) -> list[Attributions]:
        """Verdicts on one kind of incident."""
        return [
            v
            for v in self.all
            if v.incident.kind == kind
            and system in {None, v.system}
            and k in {None, len(v.candidates)}
            and visible in {None, v.incident.visible}
        ]

    def top(self, system: str, k: int) -> tuple[float, str]:
        """Culprit first among k."""
        return share(v.guilty_first for v in self.of(system, "agent", k=k))

    def recall(self, system: str) -> tuple[float, str]:
        """Guilty action named at P > .5."""
        return share(v.candidates[v.incident.guilty] > 0.5 for v in self.of(system, "agent"))

    def blamed(self, kind: str, *, visible: bool | None = True) -> tuple[float, str]:
        """Incidents in which some action got P > .5, none of them guilty."""
        return share(v.worst > 0.5 for v in self.of(None, kind, visible=visible))

    def infra_auroc(self, system: str) -> float:
        """Agent incidents against infrastructure incidents, by 1 - P(nobody)."""
        return auroc(
            [1 - v.no_agent for v in self.of(system, "agent")],
            [1 - v.no_agent for v in self.of(system, "infra")],
        )

    def reacted_auroc(self, system: str) -> float:
        """Agents that did it against agents that only reacted."""
        return auroc(
            [v.worst for v in self.of(system, "agent", k=1)],
            [v.worst for v in self.of(system, "reverse")],
        )


# --- The table of bars ----------------------------------------------------------------------------


def bars(once: Judged, quiet: Judged) -> Iterator[Line]:
    """Issue 4's table."""
    yield least("OB culprit top-1, k=4", once.top("OB", 4), 0.92)
    yield least("OB culprit top-1, k=8", once.top("OB", 8), 0.85)
    area = once.infra_auroc("OB")
    yield least("agent-vs-infrastructure AUROC, OB", (area, f"{area:.3f}"), 0.96)
    yield most("infrastructure blamed on an agent, P > .5", once.blamed("infra"), 0.02)
    yield most("agents that only reacted, blamed", once.blamed("reverse"), 0.0)
    for system in ("OB", "TT"):
        flagged = share(
            p > 0.5 for v in quiet.of(system, "quiet", visible=None) for p in v.candidates
        )
        yield most(f"harmless writes flagged, {ROUNDS_MAX} looks, {system}", flagged, 0.01)
    yield least("guilty action named at P > .5, OB", once.recall("OB"), 0.65)
    sure = share(right for p, right in pairs(once) if p >= 0.8)
    yield least("verdicts with P ≥ .8 that are right", sure, 0.93)
    yield least("PetShop top-1 of 5 (no constant chosen on it)", commands(), 0.90)


def pairs(judged: Judged) -> Iterator[tuple[float, bool]]:
    """(probability, is guilty) of every verdict on every candidate."""
    for v in judged.all:
        for number, probability in enumerate(v.candidates):
            yield probability, number == v.incident.guilty


def commands() -> tuple[float, str]:
    """How often the component that a command acted on stands out most among five."""
    chances: list[float] = []
    draws = np.random.default_rng(20230418)
    for command, scores in judge_commands():
        others = np.array([scores[entity] for entity in command.others])
        root = scores[command.root]
        won = 0.0
        for _ in range(COMMAND_DRAWS):
            alternative = draws.choice(others, COMMAND_CANDIDATES - 1, replace=False).max()
            won += 1.0 if root > alternative else 0.5 if root == alternative else 0.0
        chances.append(won / COMMAND_DRAWS)
    value = statistics.mean(chances)
    return value, f"{value:.3f}  ({len(chances)} commands)"


def further(once: Judged, running: Judged, quiet: Judged) -> Iterator[Line]:
    """Figures without a bar."""
    yield Line("TT culprit top-1, k=4 / k=8", f"{once.top('TT', 4)[1]} / {once.top('TT', 8)[1]}")
    yield Line("TT guilty action named at P > .5", once.recall("TT")[1])
    yield Line("code faults by infrastructure, blamed", once.blamed("infra", visible=False)[1])
    yield Line("with every look: OB top-1, k=4", running.top("OB", 4)[1])
    yield Line("with every look: OB top-1, k=8", running.top("OB", 8)[1])
    yield Line("with every look: infrastructure blamed", running.blamed("infra")[1])
    yield Line("with every look: only reacted, blamed", running.blamed("reverse")[1])
    yield Line("with every look: OB guilty named", running.recall("OB")[1])
    delays = [v.delay_ns / S for v in running.all if v.delay_ns is not None]
    yield Line("seconds from the action to P > .5, median", f"{statistics.median(delays):.0f}")
    flagged = share(v.worst > 0.5 for v in quiet.all)
    yield Line(f"quiet spells (1 or 3 writes) with a flag, {ROUNDS_MAX} looks", flagged[1])


# --- Calibration ----------------------------------------------------------------------------------


def calibration(once: Judged) -> Iterator[Line]:
    """How often verdicts of each strength are right, and the same as a picture."""
    edges = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0 + 1e-9)
    reported = list(pairs(once))
    for low, high in pairwise(edges):
        inside = [(p, right) for p, right in reported if low <= p < high]
        if not inside:
            continue
        mean = statistics.mean(p for p, _ in inside)
        so, words = share(right for _, right in inside)
        width = 24
        picture = "".join(
            "█" if n < round(so * width) else "·" if n != round(mean * width) else "|"
            for n in range(width)
        )
        name = f"P {low:.2f}–{min(high, 1.0):.2f}, mean {mean:.2f}"
        yield Line(name, words, picture)


# --- Others and ablations -------------------------------------------------------------------------


def row(judged: Judged) -> str:
    """One method in one line, on visible faults of Online Boutique."""
    guilty = [v.worst for v in judged.of("OB", "agent", k=1)]
    quiet = {s: [v.worst for v in judged.of(s, "quiet", k=1, visible=None)] for s in ("OB", "TT")}
    truth = [True] * len(guilty) + [False] * len(quiet["OB"])
    threshold = float(np.quantile(quiet["OB"], 0.99))
    elsewhere = statistics.mean(value > threshold for value in quiet["TT"])
    return (
        f"{judged.top('OB', 4)[0]:.2f} / {judged.top('OB', 8)[0]:.2f}   "
        f"{judged.infra_auroc('OB'):.2f}   {judged.reacted_auroc('OB'):.2f}   "
        f"{auroc(guilty, quiet['OB']):.2f} / {average_precision(truth, guilty + quiet['OB']):.2f}"
        f"   {elsewhere:.1%}"
    )


def others(once: Judged) -> Iterator[Line]:
    """The same incidents by the methods of others."""
    yield Line("Online Boutique, visible faults", "", "top-1 k=4/8 · infra · reacted · impact")
    yield Line("", "", "AUROC/AP · quiet TT flagged where OB is at 1 %")
    for name in (LAST_ACTION, *METHODS):
        yield Line(f"  {name}", row(Judged(judge_all((*INCIDENTS, "quiet"), name))))
    yield Line("  placebo surprise: the product", row(once))


def ablations(once: Judged) -> Iterator[Line]:
    """Each part taken out."""
    whole = {"the whole": once}
    parts = {name: Judged(judge_all(INCIDENTS, name)) for name in ABLATIONS}
    for name, judged in (whole | parts).items():
        figures = (
            f"top-1 {judged.top('OB', 4)[0]:.2f} / {judged.top('OB', 8)[0]:.2f}"
            f" · infra {judged.infra_auroc('OB'):.2f} · reacted {judged.reacted_auroc('OB'):.2f}"
        )
        found = (
            f"named OB {judged.recall('OB')[0]:.2f} TT {judged.recall('TT')[0]:.2f}"
            f" · blamed {judged.blamed('infra')[1]}, reacted {judged.blamed('reverse')[1]}"
        )
        yield Line(name, figures, found)


# --- Cost -----------------------------------------------------------------------------------------


def cost() -> Iterator[Line]:
    """CPU time of a point, and of a judgement beside 541 series: the best of several."""
    spent: list[float] = []
    names = [(f"service/{n % 45}", f"metric {n // 45}") for n in range(COST_SERIES)]
    for _ in range(5):
        store = SeriesStore()
        began = time.process_time()
        for minute in range(COST_POINTS):
            for entity, metric in names:
                store.append(entity, metric, Family.LATENCY, "s", minute * 60 * S, 0.25)
        spent.append((time.process_time() - began) / (COST_POINTS * COST_SERIES) * 1e6)
    yield Line("µs per point appended", f"{min(spent):.2f}", "≤ 2", min(spent) <= 2)
    values = np.random.default_rng(541).gamma(4.0, 1.0, (COST_SERIES, COST_POINTS))
    store = SeriesStore()
    for (entity, metric), series in zip(names, values, strict=True):
        for minute, value in enumerate(series):
            store.append(entity, metric, Family.LATENCY, "s", minute * 60 * S, float(value))
    topology = {f"service/{n}": [f"service/{2 * n + 1}", f"service/{2 * n + 2}"] for n in range(22)}
    spent = []
    for number in range(15):
        observer = ActionObserver()
        observer.open(step((COST_POINTS - 5) * 60 * S + number, f"service/{number}", "a"))
        began = time.process_time()
        observer.score((COST_POINTS - 1) * 60 * S + number, store, topology)
        spent.append((time.process_time() - began) * 1e3)
    yield Line(
        f"ms per judgement at {COST_SERIES} series", f"{min(spent):.0f}", "≤ 60", min(spent) <= 60
    )


def main() -> int:
    """Print the tables; 1 where a bar is missed."""
    if not data_folder().is_dir():
        print(f"no recordings in {data_folder()}: set AFTERSHOCK_EVAL_DATA", file=sys.stderr)
        return 2
    missed = 0
    once = Judged(judge_all((*INCIDENTS, "quiet")))
    quiet = Judged(judge_all(("quiet",), RUNNING))
    running = Judged(judge_all(INCIDENTS, RUNNING))
    for title, lines in (
        ("Bars", chain(bars(once, quiet), cost())),
        ("Further", further(once, running, quiet)),
        ("Calibration: █ were right, | was said", calibration(once)),
        ("Ablations", ablations(once)),
        ("Others", others(once)),
    ):
        print(title)
        for line in lines:
            print(line, flush=True)
            missed += line.met is False
        print()
    print("every bar is met" if not missed else f"{missed} bars are missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
