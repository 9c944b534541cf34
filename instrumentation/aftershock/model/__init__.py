"""Facts (what was recorded) and claims (what rules conclude): the nouns of every other module.

Times are integer nanoseconds since the Unix epoch and come from the data, never from a clock.
`None` means "not recorded": it is never zero, never empty and never a recovery.
"""

from __future__ import annotations

from aftershock.model.changes import Change, ChangeKind
from aftershock.model.findings import (
    Alternative,
    Assessment,
    Chart,
    Claim,
    Closing,
    Feedback,
    Finding,
    Impact,
    Level,
    Parts,
    Report,
)
from aftershock.model.runs import Run
from aftershock.model.steps import (
    LOOP_REPORTED,
    Action,
    AnswerState,
    Decision,
    Fact,
    Fingerprint,
    Instruction,
    Outcome,
    Output,
    OutputState,
    Requirement,
    Spent,
    Step,
    StepKind,
    Tier,
    Tokens,
)

__all__ = [
    "LOOP_REPORTED",
    "Action",
    "Alternative",
    "AnswerState",
    "Assessment",
    "Change",
    "ChangeKind",
    "Chart",
    "Claim",
    "Closing",
    "Decision",
    "Fact",
    "Feedback",
    "Finding",
    "Fingerprint",
    "Impact",
    "Instruction",
    "Level",
    "Outcome",
    "Output",
    "OutputState",
    "Parts",
    "Report",
    "Requirement",
    "Run",
    "Spent",
    "Step",
    "StepKind",
    "Tier",
    "Tokens",
]
