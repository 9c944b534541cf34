"""`make eval-rules`: the product's rules over recordings by others, beside what others use.

Recordings go through the import path and the engine, step by step, as live traffic does. The
command fails where a bar is missed. AFTERSHOCK_EVAL_DATA names the data, default ../shared/data.
`--split SEED` tells random halves of every set apart: choose by the first, believe the second.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aftershock.attributes import EVENT_FACT, FACT_KIND, FACT_SOURCE, FACT_SUBJECT, RUN_ID
from aftershock.model import Level, Step, StepKind
from aftershock.policy.policy import EMPTY, Policy
from aftershock.rules import STEP_RULES, judge, rules_after
from aftershock.runs.expectations import LearnedExpectations, expect, learn_expectations
from aftershock.runs.fold import Window
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.read import read_event
from tests.evaluation import injections
from tests.evaluation.baselines import BASELINES, length
from tests.evaluation.beyond import firing, original, situations, warn_rate
from tests.evaluation.scores import Score, average_precision, score
from tests.evaluation.splitting import WHOLE, Half, Part
from tests.evaluation.traces import Judged, data_folder, judge_record, load, steps_of

LOOPS = ("repeated_action", "action_cycle", "error_streak")
# Rules that no public data labels: false alarms only.
NO_LABELS = (
    "failure_cascade", "dropped_fact", "ungrounded_argument", "unexplained_action",
    "context_pressure", "budget_exceeded", "unapproved_action",
)  # fmt: skip
EVERY = tuple(rule.kind for rule in STEP_RULES)
CONTEXT = ("missing_fact", "failed_fact", "stale_fact")
REPEATED = 2  # labels.repetition: 2 yes, 1 weak (left out), 0 no


@dataclass(frozen=True, slots=True)
class Line:
    """One figure beside its bar. `met` is None where there is none."""

    name: str
    figure: str
    bar: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        mark = {None: " ", True: "✓", False: "✗"}[self.met]
        return f"{mark} {self.name:<56} {self.figure:<26} {self.bar}"


# --- Loops -------------------------------------------------------------------------------------


def repeats_previous(judged: Judged) -> Iterator[tuple[bool, bool]]:
    """(reported, labelled) for each pair of consecutive actions: does the second repeat the first?

    It is reported where one finding of repeated_action holds both as its evidence. Rewordings are
    another claim (people label them Refinement) and are not counted.
    """
    previous: Step | None = None
    for place, (step, recorded) in enumerate(
        zip(judged.steps, judged.record["steps"], strict=True)
    ):
        if step.action is None:
            continue
        labels: dict[str, str] = recorded.get("lab") or {}
        label = labels.get("rel")
        if label is not None and previous is not None:
            both = {step.span_id, previous.span_id}
            reported = any(
                finding.kind == "repeated_action"
                and not finding.subject.endswith("/reworded")
                and both <= set(finding.evidence)
                for finding in judged.found[place]
            )
            yield reported, label == "Repetition"
        previous = step


def is_loop(record: dict[str, Any]) -> bool:
    """People saw two repetitions in a row, or three in nine."""
    labels = record["labels"]
    return labels["max_run_rep"] >= 2 or labels["max_rep_in9"] >= 3


def alarms(judged: Judged, kinds: Sequence[str] = LOOPS) -> bool:
    """True where somebody would have been paged."""
    return any(finding.level is Level.ALARM for _, finding in judged.findings(kinds))


def looping_spans(judged: Judged) -> int:
    """How many steps loop findings point at: the score of a run."""
    return len({span for _, finding in judged.findings(LOOPS) for span in finding.evidence})


def earliness(runs: Sequence[Judged]) -> str:
    """Where in the run the first alarm came, and what came after it."""
    parts: list[float] = []
    tokens: list[int] = []
    for judged in runs:
        places = [p for p, finding in judged.findings(LOOPS) if finding.level is Level.ALARM]
        if places:
            parts.append((min(places) + 1) / len(judged.steps))
            tokens.append(sum(s.tokens.total for s in judged.steps[min(places) + 1 :] if s.tokens))
    if not parts:
        return "no alarm"
    left = f", {statistics.median(tokens):,.0f} tokens left" if any(tokens) else ""
    return f"at {statistics.median(parts):.0%} of the run{left}"


def trajectories(policy: Policy, part: Part) -> Iterator[Line]:
    """TAR: people labelled every pair of actions."""
    runs = [judge_record(record, policy) for record in part.of(load("tar"))]
    steps = score(pair for judged in runs for pair in repeats_previous(judged))
    met = steps.f1 >= 0.80 and steps.precision >= 0.90
    yield Line("TAR step repetition, P/R/F1", str(steps), "F1 ≥ .80 at P ≥ .90", met)
    for name, detector in BASELINES.items():
        result = score((detector(run.record), is_loop(run.record)) for run in runs)
        yield Line(f"  TAR run loops, {name}", str(result))
    truth = [is_loop(run.record) for run in runs]
    lengths = average_precision(truth, [length(run.record) for run in runs])
    yield Line("  TAR run loops, length only", f"PR-AUC {lengths:.2f}")
    result = score((alarms(run), is_loop(run.record)) for run in runs)
    yield Line("TAR run loops, alarm, P/R/F1", str(result), "F1 ≥ .78", result.f1 >= 0.78)
    yield Line("  first alarm of true loops", earliness([r for r in runs if is_loop(r.record)]))
    resolved = [run for run in runs if run.labels["resolved"]]
    yield healthy("TAR resolved", resolved, 0.06)


def research(policy: Policy, part: Part) -> Iterator[Line]:
    """TRAIL: people's remarks on repetition."""
    records = [r for r in part.of(load("trail")) if r["labels"]["repetition"] in (0, REPEATED)]
    runs = [judge_record(record, policy) for record in records]
    truth = [run.labels["repetition"] == REPEATED for run in runs]
    for name, detector in BASELINES.items():
        reported = [detector(run.record) for run in runs]
        yield Line(f"  TRAIL repetition, {name}", str(score(zip(reported, truth, strict=True))))
    lengths = average_precision(truth, [length(run.record) for run in runs])
    yield Line("  TRAIL repetition, length only", f"PR-AUC {lengths:.2f}")
    scores = [looping_spans(run) for run in runs]
    warned = score(zip((value > 0 for value in scores), truth, strict=True))
    yield Line("TRAIL repetition, warn, P/R/F1", str(warned), "F1 ≥ .80", warned.f1 >= 0.80)
    area = average_precision(truth, scores)
    bar = f"≥ .88 and > length ({lengths:.2f})"
    yield Line("TRAIL repetition, PR-AUC", f"{area:.3f}", bar, area >= 0.88 and area > lengths)
    paged = score(zip((alarms(run) for run in runs), truth, strict=True))
    yield Line("  TRAIL repetition, alarm", str(paged))
    loops = [run for run, so in zip(runs, truth, strict=True) if so]
    yield Line("  first alarm of true repetitions", earliness(loops))


def healthy(name: str, runs: Sequence[Judged], most: float) -> Line:
    """The share of healthy runs that would have paged somebody, for whatever reason."""
    share = sum(alarms(run, EVERY) for run in runs) / max(1, len(runs))
    figure = f"{share:.2%} of {len(runs)}"
    return Line(f"healthy runs that alarm, {name}", figure, f"≤ {most:.1%}", share <= most)


def healthy_runs(policy: Policy, part: Part) -> Iterator[Line]:
    """Runs that did their job: nobody should be woken."""
    good = [r for r in part.of(load("tau")) if r["labels"]["reward"] == 1]
    tau = [judge_record(record, policy) for record in good]
    yield healthy("tau, reward 1", tau, 0.005)
    useful = [r for r in part.of(load("agentdojo-clean")) if r["labels"]["utility"]]
    dojo = [judge_record(record, policy) for record in useful]
    yield healthy("AgentDojo, utility true", dojo, 0.005)
    for name, runs in (("tau", tau), ("AgentDojo", dojo)):
        for kind in NO_LABELS:
            share = sum(any(run.findings((kind,))) for run in runs) / max(1, len(runs))
            yield Line(f"  healthy runs with any {kind}, {name}", f"{share:.2%} of {len(runs)}")


# --- Incomplete context ------------------------------------------------------------------------


def airline() -> Policy:
    """The policy of the airline's tools."""
    text = Path(__file__).with_name("airline.yaml").read_text(encoding="utf-8")
    return Policy.from_mapping(yaml.safe_load(text))


def with_notices(record: dict[str, Any], steps: Sequence[Step]) -> list[Step]:
    """Steps with the recording's notices of changes as an app reports them: aftershock.fact."""
    noticed: list[Step] = []
    for step, recorded in zip(steps, record["steps"], strict=True):
        if step.kind is not StepKind.MESSAGE or recorded.get("name") != "resource_event":
            noticed.append(step)
            continue
        notice: dict[str, str] = yaml.safe_load(recorded["result"])
        subject = next(value for key, value in notice.items() if key.endswith("_id"))
        event = LogEvent(
            trace_id=step.trace_id,
            span_id=step.span_id,
            name=EVENT_FACT,
            text="",
            time_ns=step.began_at_ns,
            severity=9,
            attributes={
                RUN_ID: step.run_id,
                FACT_KIND: "changed",
                FACT_SUBJECT: subject,
                FACT_SOURCE: notice["by"],
            },
            resource={},
            scope="",
        )
        read = read_event(event, EMPTY)
        assert isinstance(read, Step), "a fact is a step"
        noticed.append(read)
    return noticed


def gap_found(record: dict[str, Any], policy: Policy, learned: LearnedExpectations) -> bool:
    """True where a context rule says something of the run.

    A damaged read is found at the first write that rests on it, which need not be the last one.
    """
    steps = [expect(learned, step) for step in with_notices(record, steps_of(record, policy))]
    return any(judge_record(record, policy, steps).findings(CONTEXT))


def perturbed(
    title: str,
    policy: Policy,
    practice_for: Callable[[dict[str, Any]], LearnedExpectations],
    bar: Callable[[Score], tuple[str, bool]],
    part: Part,
) -> Iterator[Line]:
    """tau-perturbed by variant, then all of it against its bar."""
    reported: dict[str, list[tuple[bool, bool]]] = {}
    for record in part.of(load("tau-perturbed")):
        labels = record["labels"]
        found = gap_found(record, policy, practice_for(record))
        reported.setdefault(labels["variant"], []).append((found, labels["incomplete"]))
    for variant, pairs in reported.items():
        count = sum(found for found, _ in pairs)
        yield Line(f"  {title}, {variant}", f"found in {count} of {len(pairs)}")
    whole = score(pair for pairs in reported.values() for pair in pairs)
    text, met = bar(whole)
    yield Line(f"tau-perturbed, {title}, P/R/F1", str(whole), text, met)


def context(_policy: Policy, part: Part) -> Iterator[Line]:
    """Damaged reads, with a policy and with nothing but practice learnt from the other runs."""

    def complete(whole: Score) -> tuple[str, bool]:
        return "1.00 / 1.00", whole.precision == whole.recall == 1

    def most(whole: Score) -> tuple[str, bool]:
        return "R ≥ .90 at P ≥ .95", whole.recall >= 0.90 and whole.precision >= 0.95

    past = [(record["meta"]["task"], steps_of(record)) for record in load("tau")]

    @cache
    def learnt_without(task: int) -> LearnedExpectations:
        return learn_expectations(steps for other, steps in past if other != task)

    yield from perturbed("policy", airline(), lambda _: LearnedExpectations(), complete, part)
    yield from perturbed("learnt", EMPTY, lambda r: learnt_without(r["meta"]["task"]), most, part)
    good = [record for record in part.of(load("tau")) if record["labels"]["reward"] == 1]
    declared = sum(gap_found(record, airline(), LearnedExpectations()) for record in good)
    yield Line("  healthy tau runs with a finding, policy", f"{declared} of {len(good)}")
    learnt = sum(gap_found(r, EMPTY, learnt_without(r["meta"]["task"])) for r in good)
    yield Line("  healthy tau runs with a finding, learnt", f"{learnt} of {len(good)}")


# --- Cost --------------------------------------------------------------------------------------


def cost(_policy: Policy, _part: Part) -> Iterator[Line]:
    """Microseconds a step takes to be judged, every prefix of every run of four sets."""
    spent: list[float] = []
    for name in ("tar", "trail", "tau", "live-sre-sessions"):
        here: list[float] = []
        for record in load(name):
            window = Window(record["id"], EMPTY.limits)
            for step in steps_of(record):
                window.add([step])
                run = window.prefix(len(window))
                began = time.perf_counter()
                list(judge(run, EMPTY.limits, rules_after(step.kind).rules))
                here.append((time.perf_counter() - began) * 1e6)
        spent += here
        yield Line(f"  µs per step, median, {name}", f"{statistics.median(here):.1f}")
    median = statistics.median(spent)
    yield Line("µs per step, median, all", f"{median:.1f}", "≤ 60", median <= 60)


def originals(_policy: Policy, part: Part) -> Iterator[Line]:
    """TRAIL through the original OpenInference files."""
    records = [r for r in part.of(load("trail")) if r["labels"]["repetition"] in (0, REPEATED)]
    runs = [run for record in records if (run := original(record)) is not None]
    truth = [run.labels["repetition"] == REPEATED for run in runs]
    lengths = average_precision(truth, [len(run.steps) for run in runs])
    yield Line("  TRAIL original files, length only", f"PR-AUC {lengths:.2f} of {len(runs)}")
    scores = [looping_spans(run) for run in runs]
    warned = score(zip((value > 0 for value in scores), truth, strict=True))
    yield Line("TRAIL original files, warn, P/R/F1", str(warned), "F1 ≥ .80", warned.f1 >= 0.80)
    area = average_precision(truth, scores)
    yield Line("TRAIL original files, PR-AUC", f"{area:.3f}", "≥ .88", area >= 0.88)


def beyond(policy: Policy, part: Part) -> Iterator[Line]:
    """Situations, warn rates on healthy runs, and in how many runs each rule fires."""
    yield from (Line(*row) for row in situations())
    sets = {
        name: [judge_record(record, policy) for record in part.of(load(name))]
        for name in ("tar", "trail", "tau", "agentdojo-clean", "whowhen", "magentic")
    }
    good = [run for run in sets["tau"] if run.labels["reward"] == 1]
    yield Line(*warn_rate("tau, reward 1", good, 0.05))
    good = [run for run in sets["agentdojo-clean"] if run.labels["utility"]]
    yield Line(*warn_rate("AgentDojo, utility true", good, 0.05))
    good = [run for run in sets["tar"] if run.labels["resolved"]]
    yield Line(*warn_rate("TAR resolved", good))
    yield from (Line(*row) for row in firing(run for runs in sets.values() for run in runs))


def injected(_policy: Policy, _part: Part) -> Iterator[Line]:
    """Injected orders: attacks and honest writes that the gate holds back, on two halves."""
    yield from (Line(*row) for row in injections.rows())


def report(policy: Policy, part: Part) -> int:
    """Print the table; how many bars are missed."""
    missed = 0
    sections = (trajectories, research, originals, healthy_runs, context, beyond, injected, cost)
    for section in sections:
        for line in section(policy, part):
            print(line, flush=True)
            missed += line.met is False
        print()
    print("every bar is met" if not missed else f"{missed} bars are missed")
    return missed


def main() -> int:
    """Print the table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=int, metavar="SEED", help="tell two random halves apart")
    seed: int | None = parser.parse_args().split
    if not (data_folder() / "traces").is_dir():
        print(f"no recordings in {data_folder()}: set AFTERSHOCK_EVAL_DATA", file=sys.stderr)
        return 2
    if seed is None:
        return 1 if report(EMPTY, WHOLE) else 0
    for second in (False, True):
        print(f"--- half {1 + second} of two, seed {seed}")
        report(EMPTY, Half(seed, second))
    return 0


if __name__ == "__main__":
    sys.exit(main())
