"""Working memory: the newest messages, a summary of the rest, and facts that no summary may lose.

Models are asked again with everything that was said, until it is too much. Then the oldest part is
replaced by a summary, and what the policy requires an agent to know is gone with it, unless it is
pinned beside the summary. Messages are mappings with `role` and `content`, as chat models take.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aftershock.policy.policy import describe
from aftershock.recorder import settings
from aftershock.recorder.drop_counters import count_drop, record_failure

if TYPE_CHECKING:
    from aftershock.policy.policy import Policy

CHARS_OF_A_TOKEN = 4  # the usual rule of thumb; give `count` for your model's own
PINS_MAX = 64  # facts; the oldest that no tool requires is dropped first
PIN_CHARS_MAX = 2_000  # of one fact: a window, a limit, a status
SUMMARY_CHARS_MAX = 20_000
LOST = "[Earlier messages were removed; no summary of them could be made.]"

Message = Mapping[str, Any]
Summarise = Callable[[str, Sequence[Message]], str]
SummariseAsync = Callable[[str, Sequence[Message]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Pin:
    """A fact that stays."""

    kind: str
    subject: str
    text: str
    observed_at_s: float  # since the epoch
    is_required: bool  # some tool of the policy requires its kind


def approximate(message: Message) -> int:
    """About how many tokens a message has."""
    return len(json.dumps(dict(message), default=str)) // CHARS_OF_A_TOKEN + 4


class WorkingMemory:
    """What an agent's next request to its model holds. Of one task; not safe for threads."""

    def __init__(
        self,
        summarise: Summarise | None = None,
        *,
        tokens_max: int = 16_000,
        recent: int = 12,
        count: Callable[[Message], int] = approximate,
        policy: Policy | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin with nothing.

        Args:
        summarise: Asks your model: the summary so far and the messages to add to it, in; the
            new summary, out. None: `compact` and `compact_async` are given one.
        tokens_max: Of all messages; beyond it the oldest are summarised.
        recent: Messages that are never summarised, the newest ones.
        count: Tokens of one message.
        policy: Which facts are required; default: this process's aftershock.yaml.
        clock: Seconds since the epoch.
        """
        self._summarise = summarise
        self._tokens_max = tokens_max
        self._recent = max(1, recent)
        self._count = count
        self._policy = policy
        self._clock = clock
        self._messages: list[Message] = []
        self._tokens = 0
        self._pins: OrderedDict[tuple[str, str], Pin] = OrderedDict()
        self.summary = ""

    # --- In ------------------------------------------------------------------------------------

    def add(self, message: Message) -> None:
        """A message was said. Where it becomes too much, the oldest are summarised now."""
        self._messages.append(message)
        self._tokens += self._count(message)
        if self._summarise is not None and self.is_full:
            self.compact(self._summarise)

    def add_result(self, tool: str, arguments: Mapping[str, Any], message: Message) -> None:
        """A tool's result was said. Facts that it provides by the policy are pinned."""
        for kind, subject in describe(self._rules, tool, arguments).provides:
            if kind in self.required:
                self.pin(kind, subject, str(message.get("content", "")))
        self.add(message)

    def pin(self, kind: str, subject: str, text: str) -> None:
        """Keep a fact, in place of an older one of the same kind and subject."""
        key = kind, subject
        self._pins.pop(key, None)
        cut = text if len(text) <= PIN_CHARS_MAX else f"{text[:PIN_CHARS_MAX]} [cut]"
        self._pins[key] = Pin(kind, subject, cut, self._clock(), kind in self.required)
        if len(self._pins) > PINS_MAX:
            count_drop("pins")
            optional = (key for key, pin in self._pins.items() if not pin.is_required)
            dropped = next(optional, None)
            if dropped is None:
                self._pins.popitem(last=False)
            else:
                del self._pins[dropped]

    # --- Out -----------------------------------------------------------------------------------

    @property
    def messages(self) -> list[Message]:
        """What to send: facts, the summary, the newest messages."""
        now_s = self._clock()
        head: list[Message] = []
        if self._pins:
            lines = [line_of(pin, now_s) for pin in self._pins.values()]
            head.append({"role": "system", "content": "Facts you have read:\n" + "\n".join(lines)})
        if self.summary:
            head.append({"role": "system", "content": f"What happened before:\n{self.summary}"})
        return [*head, *self._messages]

    @property
    def facts(self) -> tuple[Pin, ...]:
        """What is pinned, oldest first."""
        return tuple(self._pins.values())

    @property
    def required(self) -> frozenset[str]:
        """Kinds of facts that some tool of the policy requires."""
        return frozenset(
            wanted.kind for rule in self._rules.tools for wanted in rule.requires or ()
        )

    @property
    def is_full(self) -> bool:
        """True where the messages are more than may be sent, and some can be summarised."""
        return self._tokens > self._tokens_max and self._cut() > 0

    # --- Compaction ----------------------------------------------------------------------------

    def compact(self, summarise: Summarise) -> None:
        """Summarise the oldest messages now. Never raises: without a summary, it says so."""
        cut = self._cut()
        if not cut:
            return
        try:
            made = summarise(self.summary, self._messages[:cut])
        except Exception:  # noqa: BLE001 (a model that fails must not end the agent's work)
            record_failure("summarising")
            made = None
        self._replace(cut, made)

    async def compact_async(self, summarise: SummariseAsync) -> None:
        """The same with an async model."""
        cut = self._cut()
        if not cut:
            return
        try:
            made = await summarise(self.summary, self._messages[:cut])
        except Exception:  # noqa: BLE001 (a model that fails must not end the agent's work)
            record_failure("summarising")
            made = None
        self._replace(cut, made)

    @property
    def _rules(self) -> Policy:
        return self._policy or settings.policy()

    def _cut(self) -> int:
        """How many messages to summarise: never a call without its results, which models refuse."""
        cut = len(self._messages) - self._recent
        while cut > 0 and self._messages[cut].get("role") == "tool":
            cut -= 1
        return max(0, cut)

    def _replace(self, cut: int, made: str | None) -> None:
        # While an async summary was made, messages may have been added, and none was removed.
        for message in self._messages[:cut]:
            self._tokens -= self._count(message)
        del self._messages[:cut]
        if made is None:
            made = self.summary if LOST in self.summary else f"{self.summary}\n{LOST}".strip()
        self.summary = made[-SUMMARY_CHARS_MAX:]


def line_of(pin: Pin, now_s: float) -> str:
    """A fact for the model, with its age, because facts grow old."""
    age_s = max(0.0, now_s - pin.observed_at_s)
    old = f"{age_s:.0f} s" if age_s < 120 else f"{age_s / 60:.0f} min"
    return f"- {pin.kind} of {pin.subject} (read {old} ago): {pin.text}"
