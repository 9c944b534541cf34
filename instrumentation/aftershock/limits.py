"""Every limit of the pure core, named with its unit last, with its reason beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from aftershock.grade import PROBABLE_FROM, SUSPECTED_FROM


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of models whose name matches. None: it is not known."""

    pattern: str
    context_window: int | None = None  # tokens that it reads at once
    input_usd: float | None = None  # US dollars per million tokens
    output_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run, or all runs of one day, may use up. None: as much as it takes."""

    steps: int | None = None  # inferences, tool calls, retrievals, hand-offs
    tokens: int | None = None
    cost_usd: float | None = None
    wall_time_s: float | None = None
    tool_errors: int | None = None
    warn_at: float | None = None  # share of an amount; None: `budget_warn`


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds and bounds that rules and folding obey; an agent's policy may override them."""

    # Folding.
    run_steps_max: int = 512  # enough for 20 rounds of the longest cycle; 1 MB a run at worst
    runs_max: int = 2_000  # live runs in memory; the least recently active is evicted first
    run_idle_s: float = 3_600.0  # a run without a sign of life for this long is evicted, not closed

    # Loops.
    repeats_warn: int = 2  # identical calls that taught nothing: people see the first repetition
    repeats_alarm: int = 3  # the field's habit; two in a row are often a deliberate retry
    retries_alarm: int = 5  # equal calls that all fail: retries with back-off are usually fewer
    same_warn: int = 4  # different calls with the same answer: three searches may find nothing
    same_alarm: int = 6
    poll_patience_s: float = 900.0  # of a poll whose answer does not change; declare longer ones
    repeat_window_actions: int = 9  # "3 in the last 9": other calls in between do not hide a loop
    loop_window_actions: int = 32  # how far back a loop is followed to its beginning
    similarity_min: float = 0.4  # shared share of all words: each has more than half in common
    cycle_period_max: int = 8  # four rounds of it are in the window; recorded ones have up to five
    cycle_rounds_alarm: int = 3  # A-B-A-B happens in healthy runs; a third round does not
    errors_warn: int = 3  # same tool, same class of error: healthy runs get over two
    errors_alarm: int = 6  # twice as long: new arguments may yet help
    repairs_alarm: int = 8  # failures that no repair in between changed by a letter
    errors_window_actions: int = 12  # twice the alarm: every other call may be something else
    stall_s: float = 120.0  # four missed heartbeats of 30 s
    cascade_tools_warn: int = 3  # tools that fail at once: two are often one mistake made twice
    cascade_tools_alarm: int = 3  # of them in a row, with nothing that worked in between

    # Ends.
    settle_s: float = 10.0  # two exports of a batch: what belongs before a run's end has arrived
    silent_failures_alarm: int = 5  # public reports show five and nine calls that "completed"
    hung_factor: float = 10.0  # times the tool's longest call: a slow day is not ten times slower
    hung_calls_min: int = 3  # ended calls of a tool before its usual duration is known
    hung_s_max: float = 2_700.0  # of shells and waits: agents' shells end theirs within minutes
    hung_unknown_s: float = 14_400.0  # of tools never seen before: work is rarely longer
    hung_s_min: float = 120.0  # as stall_s: a call that is hung for less may just be slow

    # Context.
    expectation_share_min: float = 0.75  # lower bound of the share of past actions that read first
    answer_share_min: float = 0.95  # likewise of answers: of 20 runs one may be another kind
    fact_age_max_s: float = 900.0  # a fact without a declared age is stale after 15 minutes
    pressure_warn: float = 0.8  # of the context window: frameworks compact from about here on
    slower_factor: float = 3.0  # times the first inferences: load alone rarely triples them
    budget_warn: float = 0.8  # of a budget: while there is still time to raise it
    context_window_tokens: int | None = None  # None: by the model's name
    budget: Budget = field(default_factory=Budget)  # of one run
    budget_per_day: Budget = field(default_factory=Budget)  # of all runs of this agent in one day
    budget_per_user: Budget = field(default_factory=Budget)  # likewise of one user
    budget_of_all: Budget = field(default_factory=Budget)  # likewise of every agent together
    models: tuple[Model, ...] = ()  # declared in the policy; they win over the built-in table

    # Impact.
    impact_alarm: float = PROBABLE_FROM
    impact_warn: float = SUSPECTED_FROM

    # Sizes.
    sketch_parts_max: int = 128  # hashed parts kept of one value: 1 kB
    evidence_max: int = 50  # span ids on one finding
    shown_max: int = 256  # tool results that one inference is known to have been shown: 2 kB
    words_max: int = 256  # hashed id-like words kept of one value: 2 kB
    changes_max: int = 64  # made by others to what one action depends on: more is a storm
    value_chars_max: int = 20_000  # characters that a fingerprint reads of one value: head and tail
    text_chars_max: int = 2_000  # of any single text that a step keeps


DEFAULTS = Limits()
NESTING_MAX = 12  # nested values that fingerprints read one by one; deeper ones are text
# Old names of limits, read until 0.3; the collector warns of them.
RENAMED_LIMITS = {"practice_share_min": "expectation_share_min"}
