"""Habits → the text of a first aftershock.yaml, with a comment on every guess in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import yaml

from aftershock.model import Tier
from aftershock.policy.tiers import NAMESPACE, READ, WORDS
from aftershock.runs.expectations import Expectation, LearnedExpectations
from aftershock_collector.review.habits import AgentSeen, Habits, ToolSeen
from aftershock_collector.wording import clean, counted, day

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
WILDCARDS = re.compile(r"([*?\[])")
YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
ROUND_S = ((60, "1m"), (300, "5m"), (900, "15m"), (3_600, "1h"), (21_600, "6h"), (86_400, "1d"))
OLDEST = "7d"  # of a read, where a day was not enough
ROOM = 2  # a budget of that many times what the largest run used
TARGETS_SHOWN = 3
NAME_CHARS_MAX = 200
# Arguments that usually name what a tool touches, and the resource attribute for it.
TARGETS = {
    "service": "service.name",
    "service_name": "service.name",
    "deployment": "k8s.deployment.name",
    "database": "db.namespace",
    "db": "db.namespace",
    "host": "host.name",
    "hostname": "host.name",
}


class LearnedRequirement(NamedTuple):
    """A fact that past calls of a tool usually read first."""

    fact: str
    argument: str  # of the tool: it carries the id
    source: str  # the tool that provides it
    expectation: Expectation
    kept: int  # calls of this tool that read it first
    stale: int  # calls that read it only before something else had changed it
    calls: int  # calls of this tool that could have
    max_age: str

    @property
    def always(self) -> bool:
        """True where every call read it first: requiring it would not have paged anyone."""
        return self.kept == self.calls


def draft(habits: Habits, learned: LearnedExpectations) -> str:
    """The whole file."""
    requirements = {
        tool: learned_requirements(seen, habits, learned)
        for tool, seen in habits.tools.items()
        if seen.has_effect
    }
    found = provided(requirements, habits)
    acting = [tool for tool, seen in habits.tools.items() if seen.has_effect]
    reading = [tool for tool in habits.tools if tool not in acting]
    lines = [*heading(habits), ""]
    lines.append("tools:" if habits.tools else "tools: {}")
    for title, tools in (("Tools that can change something", acting), ("Tools that read", reading)):
        if tools:
            lines += ["", f"  # --- {title} ---"]
        for tool in sorted(tools, key=lambda name: (-habits.tools[name].calls, name)):
            seen = habits.tools[tool]
            lines += ["", *tool_lines(tool, seen, requirements.get(tool, ()), found.get(tool, {}))]
    lines += agent_lines(habits.agents)
    return "\n".join(lines) + "\n"


def heading(habits: Habits) -> Iterator[str]:
    """What this is, what it was made from, and what to do with it."""
    made_of = f"{counted(habits.runs, 'run')} with {counted(habits.steps, 'step')}"
    if habits.first_ns is not None and habits.last_ns is not None:
        made_of += f", {' to '.join(sorted({day(habits.first_ns), day(habits.last_ns)}))}"
    yield f"# A first aftershock.yaml, drafted by `aftershock policy init` from {made_of}."
    yield "#"
    yield "# It says what was done, not what should be: read it line by line, and correct it."
    yield "#   tier       guessed from the tool's name, except where it says otherwise."
    yield "#   requires   what calls usually read first. In force where every past call did so;"
    yield "#              commented out where some did not: in force, those calls would page."
    yield "#   polls      commented out: silences loop alarms for a tool that is asked until it is"
    yield "#              done."
    yield "# Then: `aftershock check`, and `aftershock backtest --policy FILE` before it is used."
    for what, count in sorted(habits.dropped.items()):
        yield f"# Not all of it was counted: {count:,} {what} were too many."


# --- Tools -----------------------------------------------------------------------------------


def tool_lines(
    tool: str,
    seen: ToolSeen,
    requirements: Sequence[LearnedRequirement],
    found: Mapping[str, tuple[str, str]],
) -> Iterator[str]:
    """One tool: its tier, the facts it requires, the facts it provides."""
    failed = f", {seen.failed:,} failed" if seen.failed else ""
    counts = f"{counted(seen.calls, 'call')} in {counted(seen.runs, 'run')}{failed}"
    body = [*tier_lines(seen), *target_lines(seen), *requires_lines(requirements)]
    if found:
        body.append("provides:")
        for fact, (argument, comment) in sorted(found.items()):
            body.append(f"  - fact: {scalar(fact)}" + (f"  # {comment}" if comment else ""))
            body.append(f"    subject: {scalar('{' + argument + '}')}")
    body += poll_lines(seen)
    keys = any(not line.startswith("#") for line in body)
    yield f"  {scalar(pattern(tool))}:{'' if keys else ' {}'}  # {counts}"
    yield from (f"    {line}" for line in body)


def pattern(tool: str) -> str:
    """A tool's name as a pattern that matches it alone."""
    return WILDCARDS.sub(r"[\1]", tool)


def tier_lines(seen: ToolSeen) -> Iterator[str]:
    """The tier, and whether it is a guess."""
    if len(seen.tiers) > 1:
        each = ", ".join(f"{tier.value} {count:,}" for tier, count in seen.tiers.most_common())
        yield f"# No tier: it differs from call to call, with the command ({each})."
        return
    (tier,) = seen.tiers
    guess = "a guess" if seen.declared < seen.calls else "from the recording"
    cautious = ", the cautious one" if tier is Tier.WRITE and guess == "a guess" else ""
    yield f"tier: {tier.value}  # {guess}{cautious}"


def target_lines(seen: ToolSeen) -> Iterator[str]:
    """What it touched, and which argument seems to name it."""
    if not seen.has_effect:
        return
    if seen.targets:
        most = seen.targets.most_common(TARGETS_SHOWN)
        yield f"# touched {', '.join(f'{clean(name, 80)} ({count:,})' for name, count in most)}"
    named = [
        (attribute, name)
        for name, attribute in TARGETS.items()
        if seen.arguments[name] or seen.worked[name]
    ]
    if not named or seen.targets:
        return
    yield "# Impact needs to know what it touches; by its arguments, perhaps:"
    yield "# targets:"
    attribute, name = named[0]
    yield f"#   - {attribute}: {scalar('{' + name + '}')}"
    if attribute.startswith("k8s.") and seen.arguments["namespace"]:
        yield '#     k8s.namespace.name: "{namespace}"'


def requires_lines(requirements: Sequence[LearnedRequirement]) -> Iterator[str]:
    """The facts it usually read first: in force where it always did, else commented out."""
    if not requirements:
        return
    # A commented key with an uncommented list below it would be read as another list.
    yield "requires:" if any(one.always for one in requirements) else "# requires:"
    for one in sorted(requirements, key=lambda one: (not one.always, one.fact)):
        mark = "" if one.always else "# "
        expectation = one.expectation
        yield f"{mark}  - fact: {scalar(one.fact)}  # provided by {clean(one.source, 80)}"
        yield f"{mark}    subject: {scalar('{' + one.argument + '}')}"
        yield f"{mark}    max_age: {one.max_age}  # over twice the oldest that was acted on"
        yield (
            f"{mark}    # learned: {expectation.confidence:.0%} of"
            f" {counted(expectation.support, 'call')} with {clean(one.argument, 60)} read it first;"
            f" of this tool {one.kept:,} of {one.calls:,}"
        )
        if one.stale:
            yield (
                f"{mark}    # {counted(one.stale, 'call')} read it only before another call changed"
                " it: if that call's answer holds it anew, declare it there with `provides`"
            )


def poll_lines(seen: ToolSeen) -> Iterator[str]:
    """Whether it looks as if it were polled."""
    if seen.polled:
        yield (
            f"# polls: true  # a guess: asked the same up to {seen.repeats:,} times, and in"
            f" {counted(seen.polled, 'run')} until its answer changed"
        )


# --- What calls require ----------------------------------------------------------------------


def learned_requirements(
    seen: ToolSeen, habits: Habits, learned: LearnedExpectations
) -> list[LearnedRequirement]:
    """The learned expectations that hold for the arguments of one tool, one for each fact."""
    found: dict[str, LearnedRequirement] = {}
    for argument, calls in sorted(seen.worked.items()):
        if not fills(argument, seen):
            continue
        for expectation in learned.expectations.get(argument, ()):
            read = habits.subject_reads.get((argument, expectation.source))
            source = habits.tools.get(expectation.source)
            if read is None or source is None:
                continue
            about = subject_argument(source)
            if about is None or 2 * read.arguments[about] < max(read.arguments.values()):
                continue  # the same value, but not what that tool is asked about
            one = LearnedRequirement(
                fact_of(expectation.source),
                argument,
                expectation.source,
                expectation,
                seen.kept[argument, expectation.source],
                seen.stale[argument, expectation.source],
                calls,
                rounded(read.oldest_s * ROOM),
            )
            known = found.get(one.fact)
            if known is None or one.kept > known.kept:
                found[one.fact] = one
    return list(found.values())


def fills(argument: str, seen: ToolSeen) -> bool:
    """True where a placeholder can be filled: from a call's own arguments, not what is in them."""
    if not argument or set(argument) & set("{}"):
        return False
    return bool(seen.arguments[argument]) if seen.recorded else True


def subject_argument(source: ToolSeen) -> str | None:
    """The argument of a read that names its subject: the one with most different values."""
    names = [name for name in sorted(source.named) if fills(name, source)]
    return max(names, key=lambda name: len(source.named[name]), default=None)


def provided(
    requirements: Mapping[str, Sequence[LearnedRequirement]], habits: Habits
) -> dict[str, dict[str, tuple[str, str]]]:
    """Tool → fact that it provides → (argument that names its subject, comment)."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for tool, wanted in requirements.items():
        for one in wanted:
            about = subject_argument(habits.tools[one.source])
            assert about is not None, "only what has a subject argument is learned"
            found.setdefault(one.source, {})[one.fact] = (about, "")
            echoed = habits.tools[tool].echoed[one.source]
            if echoed:
                comment = f"its answer held most of it in {counted(echoed, 'call')}"
                found.setdefault(tool, {})[one.fact] = (one.argument, comment)
    return found


def fact_of(tool: str) -> str:
    """The fact that a read provides: its name without the verb. get_user_details → user_details."""
    own = NAMESPACE.sub("", tool) or tool
    words = [word.lower() for word in WORDS.findall(own)]
    found = words[1:] if len(words) > 1 and words[0] in READ else words
    return "_".join(found) or clean(tool, NAME_CHARS_MAX)


def rounded(seconds: float) -> str:
    """The next round length of time."""
    return next((text for size, text in ROUND_S if seconds <= size), OLDEST)


# --- Agents ----------------------------------------------------------------------------------


def agent_lines(agents: Mapping[str, AgentSeen]) -> Iterator[str]:
    """What the runs of each agent used up, and a budget that would not have paged anyone."""
    if not agents:
        return
    yield ""
    yield "# What runs used up; a budget is twice the largest amount seen. None is in force."
    yield "# agents:"
    for name, seen in sorted(agents.items(), key=lambda item: (-item[1].runs, item[0])):
        middle = sorted(seen.steps)[len(seen.steps) // 2]
        yield (
            f"#   {scalar(pattern(name))}:  # {counted(seen.runs, 'run')}; half of them took"
            f" {counted(middle, 'step')} or fewer"
        )
        yield "#     budget:"
        yield f"#       steps: {max(seen.steps) * ROOM}"
        if any(seen.tokens):
            yield f"#       tokens: {max(seen.tokens) * ROOM}"
        yield f"#       wall_time: {rounded(max(seen.seconds) * ROOM)}"
        yield f"#       tool_errors: {max(1, max(seen.errors) * ROOM)}"


def scalar(text: str) -> str:
    """A text as YAML, in quotes wherever it could be read as something else."""
    if PLAIN.fullmatch(text) and text.lower() not in YAML_WORDS:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=False, width=1_000_000)
    return quoted.strip()
