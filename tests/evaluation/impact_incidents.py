"""Recorded incidents judged as the product judges live: one scoring round for every new point."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any
from unittest.mock import patch

from aftershock_collector.impact import ActionObserver, competition, references, sequential
from tests.evaluation.impact_baselines import METHODS, around
from tests.evaluation.recordings import Command, Incident, Recording, S, nezha, petshop, step

EVERY_NS = 60 * S  # one round for each new point
QUIET_ROUNDS = 8
LAST_ACTION = "last action before the alert"  # what people on call go by
_CHUNK = 16

# Each part of the method, removed: what it is there for shows in what is then missed.
ABLATIONS: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "without what was wrong before": ((competition, "BEFORE_WEIGHT", 0.0),),
    "without what a callee explains": ((competition, "CALLEE_WEIGHT", 0.0),),
    "without trouble elsewhere": (
        (competition, "ALTERNATIVE_WEIGHT", 0.0),
        (competition, "ELSEWHERE_WEIGHT", 0.0),
    ),
    "without leaving out what followed actions": ((references, "_SKIPPED_POINTS", 0),),
    "without holding over rounds": (
        (sequential, "SHOWN_ROUNDS", 1),
        (sequential, "PAGED_ROUNDS", 1),
    ),
}


@dataclass(frozen=True, slots=True)
class Attributions:
    """What was shown of one incident. Probabilities by candidate."""

    system: str
    incident: Incident
    candidates: tuple[float, ...]  # the highest that was shown at any time
    newest: tuple[float, ...]  # as shown at the end
    delay_ns: int | None = None  # from the guilty action to the first round that showed P > .5

    @property
    def guilty_first(self) -> bool:
        """True where the guilty action is the likeliest candidate at the end."""
        ranked = range(len(self.newest))
        best = max(ranked, key=lambda n: (self.newest[n], self.candidates[n]))
        return best == self.incident.guilty

    @property
    def worst(self) -> float:
        """The highest probability that any action was shown with."""
        return max(self.candidates)


def observing(recording: Recording, incident: Incident) -> ActionObserver:
    """An observer that knows what an agent's records would hold by then."""
    observer = ActionObserver(observation_window_s=3_600.0)
    for at_ns, entity in recording.known_actions(incident):
        observer.remember([entity], at_ns)
    return observer


def judge_live(recording: Recording, incident: Incident) -> Attributions:
    """A round for every new point, everything open at once, as the collector does it."""
    observer = observing(recording, incident)
    waiting = sorted(enumerate(incident.candidates), key=lambda pair: pair[1][0])
    peak, newest = [0.0] * len(waiting), [0.0] * len(waiting)
    delay_ns: int | None = None
    last_ns = waiting[-1][1][0] + QUIET_ROUNDS * EVERY_NS
    end_ns = last_ns if incident.kind == "quiet" else incident.now_ns
    for now_ns in [*range(waiting[0][1][0] + EVERY_NS, end_ns, EVERY_NS), end_ns]:
        while waiting and waiting[0][1][0] < now_ns:
            number, (at_ns, entity) = waiting.pop(0)
            observer.open(step(at_ns, entity, str(number)))
        for impact in observer.score(now_ns, recording.store, recording.topology):
            number = int(impact.span_id)
            newest[number] = impact.probability or 0.0
            peak[number] = max(peak[number], newest[number])
            if number == incident.guilty and delay_ns is None and newest[number] > 0.5:
                delay_ns = now_ns - incident.candidates[number][0]
    return Attributions(recording.name, incident, tuple(peak), tuple(newest), delay_ns)


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
    return Attributions(recording.name, incident, tuple(scores), tuple(scores))


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
            else:
                made.append(judge_live(recording, incident))
        return made


def judge_all(kinds: Sequence[str], how: str = "") -> Iterator[Attributions]:
    """Every incident of these kinds, on all cores.

    `how` is empty for the product, the name of an ablation, or the name of another method. Other
    methods are asked about quiet spells with one action, which is what their figures are about.
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
