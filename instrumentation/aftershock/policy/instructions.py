"""What a person's message asks that bears on what repeats and on what may change, without its text.

Three things can be told by patterns: how often something is to be done, that the agent is to stop,
and that it is to change nothing. A message that also asks for a change forbids none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aftershock.attributes import MESSAGE_FORBIDS_CHANGES, MESSAGE_REPEATS
from aftershock.model import Instruction
from aftershock.policy.tiers import tier_of_verb

CHARS_MAX = 4_000  # of a message; a longer one is a document
REPEATS_MAX = 1_000  # who asks for more would not want it without a limit
# "10 runs", "15 times"; numbers in words are left out.
REPEATS = re.compile(
    r"""(?<![\da-z.])(\d{1,4})\s?(?: × | x\b | 回 | 次
      | (?:mal|fois|veces|vezes|volte|keer|gånger|razy|раз)\b
      | (?:\w+\s)?(?:times|runs|rounds|iterations|repetitions|attempts|retries)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
# "Stop the pod" is a task; "stop!", "stop please" and "please stop, ..." are a word to the agent.
STOP = re.compile(
    r"^\W*(?:(?:please|no|wait|ok(?:ay)?)\W+)?(?:stop|halt|abort)\b"
    r"(?=\s*(?:[!.,;:\n—-]|$)|\s(?:please|now|immediately|everything|at\sonce)\b)",
    re.IGNORECASE,
)
# "Do not edit any file." forbids every change; "... any file under vendor/" and "do not delete any
# file" forbid some.
NO_CHANGES = re.compile(
    r"""\b(?:(?:do\snot|don['’]?t|never|without)\s
          (?:chang|modify|edit|touch|alter)(?:e|ing)?\s
          (?:a\s(?:single\s)?(?:file|line|thing)|any\s?(?:files?|code|lines?|things?))
        | make\sno\schanges)
        (?=\s*(?:[.!,;:\n—-]|$)|\s(?:yet|now|please|until|at\sall|for\snow|any\s?more)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
# "do not delete anything else, p09 is still needed" asks for no deletion.
NEGATED = re.compile(r"\b(?:do\snot|don['’]?t|never|no|without|not)\s\w+", re.IGNORECASE)
VERB = re.compile(r"[a-z]{3,}")
OWN_VERBS = frozenset({"stop", "abort", "cancel", "halt"})


def instruction_of(text: str) -> Instruction | None:
    """What a message asks; None: nothing that a pattern can tell."""
    short = text[:CHARS_MAX]
    counts = [int(number) for number in REPEATS.findall(short)]
    repeats = min(max(counts), REPEATS_MAX) if counts else None
    forbids = STOP.search(short) is not None or NO_CHANGES.search(short) is not None
    if forbids and asks_for_a_change(short):
        forbids = False
    if repeats is None and not forbids:
        return None
    return Instruction(repeats, forbids)


def asks_for_a_change(text: str) -> bool:
    """True for a text with a verb that changes something, but where the verb is denied."""
    asked = NEGATED.sub(" ", NO_CHANGES.sub(" ", text)).casefold()
    verbs = set(VERB.findall(asked)) - OWN_VERBS
    return any(tier is not None and tier.has_effect for tier in map(tier_of_verb, verbs))


def instruction_attributes(instruction: Instruction) -> dict[str, Any]:
    """An instruction as the attributes that it can be read from again."""
    found: dict[str, Any] = {}
    if instruction.repeats is not None:
        found[MESSAGE_REPEATS] = instruction.repeats
    if instruction.forbids_changes:
        found[MESSAGE_FORBIDS_CHANGES] = True
    return found


def instruction_in(attributes: Mapping[str, Any]) -> Instruction | None:
    """The instruction that attributes of ours describe; None where they describe none."""
    repeats = attributes.get(MESSAGE_REPEATS)
    forbids = attributes.get(MESSAGE_FORBIDS_CHANGES) is True
    known = repeats if isinstance(repeats, int) and 0 < repeats <= REPEATS_MAX else None
    return None if known is None and not forbids else Instruction(known, forbids)
