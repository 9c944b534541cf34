"""`make eval-impact`: was it the agent? What the live path shows, on recorded and simulated incidents.

Every incident goes through an ActionObserver over a series store, a scoring round for every new
point. The command fails where a bar is missed. AFTERSHOCK_EVAL_DATA names the recordings' folder,
default ../shared/data.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise

import numpy as np

from tests.bench.attribution import cost
from tests.evaluation.impact_baselines import METHODS
from tests.evaluation.impact_incidents import (
    ABLATIONS,
    LAST_ACTION,
    QUIET_ROUNDS,
    Attributions,
    judge_all,
    judge_commands,
)
from tests.evaluation.incidents.figures import HALVES, played, share
from tests.evaluation.incidents.figures import lines as simulated_lines
from tests.evaluation.recordings import S, data_folder
from tests.evaluation.rules import Line
from tests.evaluation.scores import average_precision

INCIDENTS = ("agent", "infra", "reverse")
COMMAND_CANDIDATES = 5  # the root and four others, over every draw of a fixed number
COMMAND_DRAWS = 200
CALIBRATED_MIN = 20  # shown probabilities in a bin, below which it has no bar


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
    """Attributions, and the parts of them that figures are about."""

    def __init__(self, attributions: Iterable[Attributions]) -> None:
        self.all = list(attributions)

    def of(
        self, system: str | None, kind: str, *, k: int | None = None, visible: bool | None = True
    ) -> list[Attributions]:
        """Attributions of one kind of incident."""
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
        """Agent incidents against infrastructure incidents, by the highest shown probability."""
        return auroc(
            [max(v.newest) for v in self.of(system, "agent")],
            [max(v.newest) for v in self.of(system, "infra")],
        )

    def reacted_auroc(self, system: str) -> float:
        """Agents that did it against agents that only reacted."""
        return auroc(
            [max(v.newest) for v in self.of(system, "agent", k=1)],
            [max(v.newest) for v in self.of(system, "reverse")],
        )


# --- The table of bars ----------------------------------------------------------------------------


def bars(live: Judged, quiet: Judged) -> Iterator[Line]:
    """The bars of recorded incidents, all on what the live path shows."""
    yield least("OB culprit first, k=4", live.top("OB", 4), 0.92)
    yield least("OB culprit first, k=8", live.top("OB", 8), 0.88)
    area = live.infra_auroc("OB")
    yield least("agent-vs-infrastructure AUROC, OB", (area, f"{area:.3f}"), 0.96)
    yield most("infrastructure blamed on an agent, P > .5", live.blamed("infra"), 0.02)
    yield most("agents that only reacted, blamed", live.blamed("reverse"), 0.0)
    for system in ("OB", "TT"):
        flagged = share(
            p > 0.5 for v in quiet.of(system, "quiet", visible=None) for p in v.candidates
        )
        yield most(f"harmless writes flagged, {QUIET_ROUNDS} rounds, {system}", flagged, 0.01)
    sure = share(right for p, right in pairs(live) if p >= 0.8)
    yield least("attributions with P ≥ .8 that are right", sure, 0.95)
    yield least("PetShop first of 5 (no constant chosen on it)", commands(), 0.90)


def pairs(judged: Judged) -> Iterator[tuple[float, bool]]:
    """(highest shown probability, is guilty) of every candidate."""
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


def further(live: Judged, quiet: Judged) -> Iterator[Line]:
    """Figures without a bar."""
    yield Line("TT culprit first, k=4 / k=8", f"{live.top('TT', 4)[1]} / {live.top('TT', 8)[1]}")
    yield Line(
        "guilty action at P > .5, OB / TT", f"{live.recall('OB')[1]} / {live.recall('TT')[1]}"
    )
    yield Line("code faults by infrastructure, blamed", live.blamed("infra", visible=False)[1])
    delays = [v.delay_ns / S for v in live.all if v.delay_ns is not None]
    median = statistics.median(delays) if delays else 0.0
    yield Line("seconds from the action to P > .5, median", f"{median:.0f}")
    flagged = share(v.worst > 0.5 for v in quiet.all)
    yield Line(f"quiet spells (1 or 3 writes) with a flag, {QUIET_ROUNDS} rounds", flagged[1])


# --- Calibration ----------------------------------------------------------------------------------


def calibration(live: Judged) -> Iterator[Line]:
    """How often shown probabilities of each strength are right, as a number and as a picture."""
    edges = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0 + 1e-9)
    reported = list(pairs(live))
    for low, high in pairwise(edges):
        inside = [(p, right) for p, right in reported if low <= p < high]
        if not inside:
            continue
        mean = statistics.mean(p for p, _ in inside)
        value, words = share(right for _, right in inside)
        so = value
        width = 24
        picture = "".join(
            "█" if n < round(so * width) else "·" if n != round(mean * width) else "|"
            for n in range(width)
        )
        name = f"P {low:.2f}–{min(high, 1.0):.2f}, mean {mean:.2f}"
        met = abs(value - mean) <= 0.1 if len(inside) >= CALIBRATED_MIN else None
        yield Line(name, words, picture, met)


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


def others(live: Judged) -> Iterator[Line]:
    """The same incidents by the methods of others."""
    yield Line("Online Boutique, visible faults", "", "top-1 k=4/8 · infra · reacted · impact")
    yield Line("", "", "AUROC/AP · quiet TT flagged where OB is at 1 %")
    for name in (LAST_ACTION, *METHODS):
        yield Line(f"  {name}", row(Judged(judge_all((*INCIDENTS, "quiet"), name))))
    yield Line("  placebo surprise: the product", row(live))


def ablations(live: Judged) -> Iterator[Line]:
    """Each part taken out."""
    whole = {"the whole": live}
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


def main() -> int:
    """Print the tables; 1 where a bar is missed."""
    if not data_folder().is_dir():
        print(f"no recordings in {data_folder()}: set AFTERSHOCK_EVAL_DATA", file=sys.stderr)
        return 2
    missed = 0
    live = Judged(judge_all(INCIDENTS))
    quiet = Judged(judge_all(("quiet",)))
    for title, lines in (
        ("Recorded incidents: bars", chain(bars(live, quiet), cost())),
        ("Recorded incidents: further", further(live, quiet)),
        ("Calibration: █ were right, | was shown", calibration(live)),
        ("Simulated incidents", simulated()),
        ("Ablations", ablations(live)),
        ("Others", others(Judged([*live.all, *quiet.all]))),
    ):
        print(title)
        for line in lines:
            print(line, flush=True)
            missed += line.met is False
        print()
    print("every bar is met" if not missed else f"{missed} bars are missed")
    return 1 if missed else 0


def simulated() -> Iterator[Line]:
    """All parts of the simulated incidents."""
    for half in HALVES:
        yield from simulated_lines(half, played(half))


if __name__ == "__main__":
    sys.exit(main())
