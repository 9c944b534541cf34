"""Recorded incidents judged by the product: opened in a Watch, looked at, and written down."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any
from unittest.mock import patch

from aftershock_collector.impact import ActionObserver, competition, evidence, placebos
from tests.evaluation.impact_baselines import METHODS, around
from tests.evaluation.recordings import Command, Incident, Recording, S, nezha, petshop, step

EVERY_NS = 60 * S  # one look for each new point
ROUNDS_MAX = 8
RUNNING = "a look at every point"
LAST_ACTION = "last action before the alert"  # what people on call go by
_CHUNK = 16

# Each part of the algorithm, taken out: what it is there for shows in what is then missed.
ABLATIONS: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "without placebos": ((placebos, "HISTORY_POINTS", 0),),
    "without what was wrong before": ((competition, "BEFORE_WEIGHT", 0.0),),
    "without what a callee explains": ((competition, "CALLEE_WEIGHT", 0.0),),
    "without the worst rival": ((competition, "RIVAL_WEIGHT", 0.0),),
    "without leaving out what followed actions": ((evidence, "_SKIPPED_POINTS", 0),),
}


@dataclass(frozen=True, slots=True)
class Attributions:
    """What was concluded on one incident: a probability per candidate, and the rest for nobody."""

    system: str
    incident: Incident
    candidates: tuple[float, ...]
    no_agent: float
    delay_ns: int | None = None  # from the guilty action to the first look with P > .5

    @property
    def guilty_first(self) -> bool:
        """True where the guilty action is the likeliest candidate."""
        best = max(range(len(self.candidates)), key=lambda n: self.candidates[n])
        return best == self.incident.guilty

    @property
    def worst(self) -> float:
        """The highest probability that any action was given."""
        return max(self.candidates)


def observed(recording: Recording, incident: Incident) -> ActionObserver:
    """A watch that knows what an agent's records would hold by then."""
    observer = ActionObserver(observation_window_s=3_600.0)
    for at_ns, entity in recording.known_actions(incident):
        observer.remember([entity], at_ns)
    return observer


def judge_once(recording: Recording, incident: Incident) -> Attributions:
    """All candidates, with one look at the time of the alert."""
    observer = observed(recording, incident)
    for number, (at_ns, entity) in enumerate(incident.candidates):
        observer.open(step(at_ns, entity, str(number)))
    impacts = observer.score(incident.now_ns, recording.store, recording.topology)
    by_span = {impact.span_id: impact.probability or 0.0 for impact in impacts}
    no_agent = [
        r.probability for impact in impacts for r in impact.alternatives if r.span_id is None
    ]
    shares = tuple(by_span.get(str(n), 0.0) for n in range(len(incident.candidates)))
    return Attributions(recording.name, incident, shares, no_agent[0] if no_agent else 1.0)


def judge_as_it_runs(recording: Recording, incident: Incident) -> Attributions:
    """A look for every new point; each action keeps its surest verdict, as the product does."""
    observer = observed(recording, incident)
    waiting = sorted(enumerate(incident.candidates), key=lambda pair: pair[1][0])
    surest = [0.0] * len(waiting)
    delay_ns: int | None = None
    last_ns = waiting[-1][1][0] + ROUNDS_MAX * EVERY_NS
    end_ns = last_ns if incident.kind == "quiet" else incident.now_ns
    for now_ns in [*range(waiting[0][1][0] + EVERY_NS, end_ns, EVERY_NS), end_ns]:
        while waiting and waiting[0][1][0] < now_ns:
            number, (at_ns, entity) = waiting.pop(0)
            observer.open(step(at_ns, entity, str(number)))
        for impact in observer.score(now_ns, recording.store, recording.topology):
            number = int(impact.span_id)
            surest[number] = max(surest[number], impact.probability or 0.0)
            if number == incident.guilty and delay_ns is None and surest[number] > 0.5:
                delay_ns = now_ns - incident.candidates[number][0]
    return Attributions(recording.name, incident, tuple(surest), 1.0 - max(surest), delay_ns)


def judge_command(command: Command) -> dict[str, float]:
    """Net evidence against every component, as if each had been acted on at that time."""
    scores: dict[str, float] = {}
    for entity in (command.root, *command.others):
        observer = ActionObserver(observation_window_s=86_400.0)
        observer.open(step(command.acted_ns, entity, entity))
        impacts = observer.score(
            command.now_ns, command.recording.store, command.recording.topology
        )
        scores[entity] = competition.net(impacts[0].parts)
    return scores


def score_once(recording: Recording, incident: Incident, method: str) -> Attributions:
    """The same incident by somebody else's method; its scores are not probabilities."""
    scores: list[float] = []
    touched = {entity for _, entity in incident.candidates}
    untouched = [entity for entity in recording.store.entities() if entity not in touched]
    for at_ns, entity in incident.candidates:
        if method == LAST_ACTION:
            scores.append((at_ns - incident.now_ns) / S)
        else:
            seen = around(recording, entity, at_ns, incident.now_ns, untouched)
            scores.append(METHODS[method](seen))
    return Attributions(recording.name, incident, tuple(scores), 1.0 - max(scores))


# --- All cores --------------------------------------------------------------------------------

_recordings: dict[str, Recording] = {}


def recordings() -> dict[str, Recording]:
    """Online Boutique and Train-Ticket, read once in each process."""
    if not _recordings:
        for folder, name in (("nezha_2022-08-22", "OB"), ("nezha_2023-01-29", "TT")):
            _recordings[name] = nezha(folder, name)
    return _recordings


def _judge_chunk(asked: Sequence[tuple[str, int]], how: str) -> list[Attributions]:
    with ExitStack() as stack:
        for module, name, value in ABLATIONS.get(how, ()):
            stack.enter_context(patch.object(module, name, value))
        made: list[Attributions] = []
        for system, number in asked:
            recording = recordings()[system]
            incident = recording.incidents[number]
            if how == LAST_ACTION or how in METHODS:
                made.append(score_once(recording, incident, how))
            elif how == RUNNING:
                made.append(judge_as_it_runs(recording, incident))
            else:
                made.append(judge_once(recording, incident))
        return made


def judge_all(kinds: Sequence[str], how: str = "") -> Iterator[Attributions]:
    """Every incident of these kinds, on all cores.

    `how` is empty for one look at the time of the alert, RUNNING for a look at every point, the
    name of an ablation, or the name of somebody else's method (of quiet spells with one action,
    which is what their figures are about).
    """
    asked = [
        (name, number)
        for name, recording in recordings().items()
        for number, incident in enumerate(recording.incidents)
        if incident.kind in kinds
        and (how not in METHODS or incident.kind != "quiet" or len(incident.candidates) == 1)
    ]
    chunks = [asked[start : start + _CHUNK] for start in range(0, len(asked), _CHUNK)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(_judge_chunk, chunks, [how] * len(chunks))
        yield from chain.from_iterable(results)


def judge_commands() -> list[tuple[Command, dict[str, float]]]:
    """Every PetShop command."""
    return [(command, judge_command(command)) for command in petshop()]
