"""The tier of a call without a policy, guessed from the tool's name and its command."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aftershock.model import Tier
from aftershock.policy import languages
from aftershock.policy.command_tiers import tier_of_command
from aftershock.policy.sql_tiers import tier_of_sql
from aftershock.policy.words import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping


READ = words_of("""
    acknowledge analyse analyze ask assess audit browse calculate cat check classify compare
    compute count describe detect diff down download dump estimate evaluate examine explain
    explore extract fetch find follow get glob grep head help history info inspect lint list
    load locate logs look lookup ls match measure metrics monitor next observe parse peek ping
    plan poll preview previous print probe query quote rank read recall reconcile refresh
    resolve retrieve review scan scroll search select show size stat stats status summarize tail
    test think top trace up validate verify view visit wait watch which who whoami
""")
DESTRUCTIVE = words_of("""
    delete drop remove rm rmdir terminate kill destroy purge wipe truncate erase uninstall evict
    shutdown revoke unlink
""")
PROVISION = frozenset({"provision", "scale", "autoscale", "resize"})
DECOMMISSION = frozenset({"decommission", "deprovision", "retire"})
WRITE = words_of("""
    abort accept activate add allocate append apply approve archive assign attach authorize ban
    block book broadcast buy cancel cast change charge checkout clear close commit configure
    confirm connect copy cordon create debit decline deny deploy disable dispatch drive
    duplicate edit emit enable enqueue execute exec fill fix flush grant insert install
    invalidate invite invoke launch lock make merge migrate modify move mv notify order patch
    pay pause payout post prescribe promote propose publish purchase push put reboot refund register
    reimburse reject release relocate remind rename renew repair replace reply reschedule
    reserve reset respond restart restore resume revert rollback rollout rotate route run save
    schedule send set ship sign snooze spawn start stop submit subscribe suspend swap switch
    sync tag touch transfer trigger unassign unblock undo unlock unsubscribe update upgrade
    upload upsert vote wire withdraw write
""")
# rollout_status, order_state: what is asked for is the state of a process.
STATES = words_of("history info progress state status")
PROCESSES = words_of(
    "build deploy deployment merge order patch payout purchase refund release rollout run sync"
    " transfer"
)
DATABASES = words_of(
    "bigquery clickhouse database databases db duckdb mysql postgres postgresql redshift snowflake"
    " sql sqlite trino"
)
SEARCHING = words_of("find glob grep locate lookup query search")
# The agent's own papers: writing them changes nothing outside it.
OPPOSITES = ("un", "dis", "de")  # before a verb
UNDOING = frozenset(
    map(
        words_of,
        ("add remove", "attach detach", "grant revoke", "open close", "start stop", "up down",
         "enable disable", "pause resume", "create delete", "insert delete", "promote demote",
         "apply revert", "deploy rollback", "mount unmount", "book cancel", "freeze thaw"),
    )
)  # fmt: skip
BOOKKEEPING = words_of("""
    checklist memo memos memory memories note notes plan plans reflection scratchpad thought
    thoughts todo todos
""")
THINKING = frozenset({"reflect", "think", "thinking", "thought", "thoughts"})
OWN = words_of("item items list my sequential task tasks tool")  # beside these in a tool's name
# What is opened to be read; opening anything else (a ticket, a change) makes it.
OPENED = words_of("browser doc document file folder image link page pdf tab url website")
# What shows the state that something is in.
VIEWING = words_of("""
    goto load navigate observe open render reset screenshot show snapshot view visit
""")
# One step of many: what it led to is seen by looking, and not in its own answer.
MOTIONS = words_of("""
    advance click drive go jog jump key keys keyboard move next pan press rotate scroll seek step
    swipe tap turn walk zoom
""")
CLICKS = frozenset({"click", "press", "tap"})
PICTURES = frozenset({"camera", "capture", "image", "photo", "picture", "screen", "screenshot"})
WAITING = frozenset({"wait", "sleep", "pause", "delay"})
RECEIVING = words_of("await consume dequeue listen poll receive recv watch")
PERSONS = words_of(
    "approval approvals confirmation customer decision human input operator person reply review"
    " reviews signoff user"
)
WAIT_KEYS = (
    "seconds", "duration_seconds", "duration", "secs", "timeout", "time", "minutes", "hours",
    "days", "ms",
)  # fmt: skip
WAIT_UNITS = {"minutes": 60.0, "hours": 3_600.0, "days": 86_400.0, "ms": 0.001}
SLEEP = re.compile(r"^\s*(?:sudo\s+)?sleep\s+(\d+(?:\.\d+)?)([smh]?)\b")
UNIT_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0}
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# mcp__server__tool, server.tool, server/tool, server:tool: the verb is in the last part.
NAMESPACE = re.compile(r"^.*(?:__|[./:])")

SHELLS = frozenset({"bash", "shell", "sh", "ssh", "terminal", "zsh", "powershell", "cmd"})
# Names of tools that say no more than that they run a command.
RUNNING = words_of("exec execute run command commands cmd local unified")
# What is run for its effect; a query, a cell or a script is run for what it answers.
RUN_FOR_EFFECT = words_of("""
    backup dag dags deployment elt etl export import ingest ingestion job jobs migration migrations
    pipeline playbook release sync workflow workflows
""")
# Work that takes hours by nature, and questions to somebody who may be away.
LONG_WORK = words_of("""
    ask backfill backup benchmark burn compile consult crawl encode evaluate experiment export
    finetune fit fuzz import index migrate migration optimize pretrain reindex render replicate
    restore resync scrape simulate simulation soak sweep sync train training transcode tune vacuum
""")
# What hands something on to where it is to take effect.
DELIVERING = words_of("""
    apply deploy import install load merge promote publish push register release reload rollout sync
    update upgrade upload upsert
""")
# What is run to observe: it changes nothing outside.
OBSERVATIONS = words_of("benchmark benchmarks check checks lint test tests")
ONE_WORD = re.compile(r"\s*[\w.:/-]+\s*")
COMMAND_KEYS = ("command", "cmd", "action", "operation", "verb", "method", "sql", "query")


def guess_tier(tool: str, arguments: Mapping[str, Any]) -> Tier:
    """The tier of a call without a policy. An unknown tool counts as a write, to be safe."""
    by_name = tier_of_name(tool)
    for key in COMMAND_KEYS:
        command = command_text(arguments.get(key))
        if command:
            break
    else:
        return by_name or Tier.WRITE
    if key in ("sql", "query"):
        if (by_statement := tier_of_sql(command)) is not None:
            return by_statement
        # A tool that reads is not asked in words of SQL that it takes only to read.
        return Tier.WRITE if key == "sql" and by_name is Tier.READ else by_name or Tier.WRITE
    if ONE_WORD.fullmatch(command) and not is_shell(tool) and (by_verb := tier_of_name(command)):
        # An editor or an API in one tool: `{"command": "view", …}`.
        return by_verb
    if key in ("command", "cmd") and (by_name is None or is_shell(tool) or only_runs(tool)):
        return tier_of_command(command)
    return by_name or Tier.WRITE


def command_text(given: Any) -> str:
    """A command as a text; Codex has it as a list of words. Empty for anything else."""
    if isinstance(given, list | tuple):
        words: list[Any] = [*given]  # pyright: ignore[reportUnknownVariableType]
        return " ".join(map(str, words))
    return given if isinstance(given, str) else ""


@lru_cache(maxsize=4_096)
def tier_of_name(tool: str) -> Tier | None:
    """The tier of the first known verb in a name; None if there is none."""
    own = NAMESPACE.sub("", tool) or tool
    words = [word.lower() for word in WORDS.findall(own)]
    if words == ["my", "budget"]:  # aftershock.my_budget
        return Tier.READ
    if "open" in words and not any(map(tier_of_verb, words)):
        return Tier.READ if len(words) == 1 or OPENED & set(words) else Tier.WRITE
    if words and words[0] in RUNNING and OBSERVATIONS & set(words):
        return Tier.READ
    if len(words) > 1 and words[-1] in STATES and words[-2] in PROCESSES:
        return Tier.READ
    if "next" in words[1:-1]:  # get_next_job, index_next_batch: another word is the verb
        words = [word for word in words if word != "next"]
    found = next((tier for word in words if (tier := tier_of_verb(word))), None)
    if found in (None, Tier.WRITE) and BOOKKEEPING & set(words):
        return Tier.READ
    if found is Tier.READ and {"and", "or"} & set(words):  # find_or_create, search_and_replace
        others = [tier for word in words if (tier := tier_of_verb(word))]
        found = next((tier for tier in others if tier is not Tier.READ), found)
    return found


def tier_of_verb(word: str) -> Tier | None:
    """The tier of one verb."""
    if word in READ or word in languages.READ:
        return Tier.READ
    if word in DESTRUCTIVE or word in languages.DESTRUCTIVE:
        return Tier.DESTRUCTIVE
    if word in PROVISION:
        return Tier.PROVISION
    if word in DECOMMISSION:
        return Tier.DECOMMISSION
    return Tier.WRITE if word in WRITE or word in languages.WRITE else None


WAIT_MAX = 1e15  # in whatever unit: thirty million years


def own_words(tool: str) -> set[str]:
    """The words of a tool's own name, without its namespace."""
    return {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)}


def wait_of(tool: str, arguments: Mapping[str, Any]) -> float | None:
    """Seconds that a call itself waits, zero if it does not say how many; None: it does not wait.

    A call waits if its tool is called so, or if its command begins with `sleep`.
    """
    for key in ("command", "cmd"):
        command = arguments.get(key)
        if isinstance(command, str):
            slept = SLEEP.match(command)
            return float(slept[1]) * UNIT_SECONDS[slept[2]] if slept else None
    if not is_waiting(tool):
        return None
    for key in WAIT_KEYS:
        value = arguments.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            # The integers of JSON have no end, and those of floating point have one.
            return min(value, WAIT_MAX) * WAIT_UNITS.get(key, 1.0)
    return 0.0


@lru_cache(maxsize=4_096)
def is_waiting(tool: str) -> bool:
    """True for tools that only wait: their name begins with such a verb, or says `wait for`."""
    own = NAMESPACE.sub("", tool) or tool
    words = [word.lower() for word in WORDS.findall(own)]
    return bool(words) and (words[0] in WAITING or words[1:3] == ["wait", "for"])


@lru_cache(maxsize=4_096)
def receives(tool: str) -> bool:
    """True for tools such as `sqs_receive`, which return what comes until their time is up."""
    return bool(RECEIVING & {word.lower() for word in WORDS.findall(tool)})


@lru_cache(maxsize=4_096)
def waits_for_person(tool: str) -> bool:
    """True for waits that end when a person answers."""
    return bool(PERSONS & {word.lower() for word in WORDS.findall(tool)})


@lru_cache(maxsize=4_096)
def lasts_hours(tool: str) -> bool:
    """True for tools whose names say that their work, or an answer, may take hours."""
    return bool(LONG_WORK & {word.lower() for word in WORDS.findall(tool)})


@lru_cache(maxsize=4_096)
def observes(tool: str) -> bool:
    """False for tools that only wait, or that keep the agent's own thoughts and plans."""
    words = {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)}
    return not (words & BOOKKEEPING or words & THINKING or is_waiting(tool))


@lru_cache(maxsize=4_096)
def is_bookkeeping(tool: str) -> bool:
    """True for tools that keep the agent's own thoughts, notes and plans, and do nothing else."""
    words = {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)}
    papers = words & (BOOKKEEPING | THINKING)
    return bool(papers) and all(tier_of_verb(word) or word in OWN for word in words - papers)


@lru_cache(maxsize=4_096)
def shows_state(tool: str) -> bool:
    """True for tools that show something as it stands, such as a page that was opened."""
    words = {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)}
    return bool(VIEWING & words) or tier_of_name(tool) is Tier.READ


@lru_cache(maxsize=4_096)
def delivers(tool: str) -> bool:
    """True for tools that hand something on, by their names; of a shell that is not known."""
    words = {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)}
    return bool(DELIVERING & words) and tier_of_name(tool) is Tier.WRITE and not is_shell(tool)


@lru_cache(maxsize=4_096)
def is_motion(tool: str) -> bool:
    """True for tools that move something a step on: the same call again leads elsewhere."""
    return bool(MOTIONS & {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)})


@lru_cache(maxsize=4_096)
def clicks(tool: str) -> bool:
    """True for tools that press something."""
    return bool(CLICKS & {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)})


@lru_cache(maxsize=4_096)
def shows_pictures(tool: str) -> bool:
    """True for tools whose answer is a picture, which no text tells from another one."""
    return bool(PICTURES & {word.lower() for word in WORDS.findall(tool)})


@lru_cache(maxsize=4_096)
def is_search(tool: str) -> bool:
    """True for tools that look for something that may not be there.

    A query of a database is none: that no row is wrong is what a check wants to see.
    """
    own = NAMESPACE.sub("", tool) or tool
    if DATABASES & {word.lower() for word in WORDS.findall(tool)}:
        return False
    return bool(SEARCHING & {word.lower() for word in WORDS.findall(own)})


def is_shell(tool: str) -> bool:
    """True for tools that run a shell command."""
    return bool(SHELLS & {word.lower() for word in WORDS.findall(tool)})


def only_runs(tool: str) -> bool:
    """True for tools such as `exec_command`: the command alone says what a call does."""
    own = NAMESPACE.sub("", tool) or tool
    return all(word.lower() in RUNNING for word in WORDS.findall(own))


@lru_cache(maxsize=4_096)
def undo_each_other(tool: str, other: str) -> bool:
    """True for `match_line` and `unmatch_line`: their names differ in one word and its opposite."""
    words, others = (
        [word.lower() for word in WORDS.findall(NAMESPACE.sub("", name) or name)]
        for name in (tool, other)
    )
    different = [pair for pair in zip(words, others, strict=False) if pair[0] != pair[1]]
    if len(words) != len(others) or len(different) != 1:
        return False
    this, that = sorted(different[0], key=len)
    return that in {f"{prefix}{this}" for prefix in OPPOSITES} or frozenset((this, that)) in UNDOING


@lru_cache(maxsize=4_096)
def names_effect(tool: str) -> bool:
    """True for tools whose names say what they do to something; `run_cell` does not.

    It is true of shells: what their commands do is read from the commands. `run_job` does too.
    """
    if is_shell(tool) or only_runs(tool):
        return True
    words = [word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)]
    verb = next((word for word in words if tier_of_verb(word)), None)
    if verb in RUNNING and RUN_FOR_EFFECT & set(words):
        return True
    return verb is not None and verb not in RUNNING
