"""Calls that set something to a value: what they set, told apart from the value.

Two calls that set the same thing to different values undo each other. A tool's verb, a command or
a statement says that it sets; the names of its arguments say which of them is the value.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from aftershock.fingerprints.answers import CAMEL
from aftershock.fingerprints.fingerprint import CANONICAL, normalise
from aftershock.fingerprints.keyed import hash_value
from aftershock.policy.tiers import COMMAND_KEYS, NAMESPACE, WORDS, tier_of_verb
from aftershock.policy.words import words_of
from aftershock.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Mapping

# Verbs that leave a state behind which the next such call replaces.
SETTING = words_of("""
    adjust alter apply assign change configure deploy edit modify move mv override patch pin point
    promote put reassign rename replace reroute resize rewrite route save scale set shift switch
    tag toggle transfer update upsert write
""")
# Arguments that hold the value, by the words of their names.
VALUES = words_of("""
    address address2 amount answer assignee body color colour comment config configuration content
    contents count data date description destination due enabled disabled image ip level limit
    message mode new note notes number on off owner percent percentage price priority quantity
    reason replicas role schedule setting settings size state status target text time timeout to
    traffic ttl user value values version weight weights
""")
# Arguments that say only where something is: many things have them in common.
SCOPES = words_of("""
    account bucket cluster collection context database datacenter db env environment kind namespace
    ns org organisation organization owner project region repo repository schema scope site stage
    table team tenant type workspace zone
""")
# What an edit replaces by what: the same two the other way round undo it.
REPLACED = (
    ("old", "new"), ("old_str", "new_str"), ("old_string", "new_string"), ("old_text", "new_text"),
    ("search", "replace"), ("find", "replace"), ("before", "after"), ("pattern", "replacement"),
)  # fmt: skip
COMMAND = re.compile(
    r"""\bkubectl\s+(?:\S+\s+){0,4}?(?:scale|autoscale|set|patch|label|annotate|taint)\b
      | \bsystemctl\s+(?:enable|disable|set-\S+)\b | \bsysctl\s+-w\b | \bredis-cli\b.*\bset\b
      | \bhelm\s+upgrade\b | \bgit\s+config\b | \bgsettings\s+set\b | \bset-\w+\b
      | \b(?:aws|gcloud|az|doctl|openstack|vault|consul|etcdctl|nmcli|ufw|tc)\s.*
        \b(?:update|modify|put|set|change|upsert|resize|patch|write)\b
      | \bcurl\b.*-X\s*["']?(?:PUT|PATCH)\b
      | ^\s*(?:UPDATE\s+\S+\s+SET\b|ALTER\s+(?:SYSTEM|DATABASE|ROLE|USER|TABLE)\b|SET\s)""",
    re.IGNORECASE | re.VERBOSE,
)
STATEMENT = re.compile(r"\s*update\s", re.IGNORECASE)
SET_CLAUSE = re.compile(r"(?<=\bset\b)(.*?)(?=\bwhere\b|$)", re.IGNORECASE | re.DOTALL)
# The values inside a command: after `=`, quoted, numbers, tags of images, and truths.
COMMAND_VALUE = re.compile(
    r"""'[^']*' | "[^"]*" | (?<==)[^\s'"]+ | (?<=\w):[\w.\-]*\d[\w.\-]*
      | \b\d[\w.%]*\b | \b(?:on|off|true|false|yes|no|enable|disable|enabled|disabled)\b""",
    re.IGNORECASE | re.VERBOSE,
)
COMMAND_CHARS_MAX = 2_000


@remembered
def is_value(name: str) -> bool:
    """True for an argument that holds a value, by its name."""
    return bool(VALUES & words_in_name(name))


@remembered
def is_scope(name: str) -> bool:
    """True for an argument that says only where something is."""
    words = words_in_name(name) - {"id", "name"}
    return bool(words) and words <= SCOPES


@lru_cache(maxsize=4_096)
def words_in_name(name: str) -> frozenset[str]:
    """The words of an argument's name."""
    return frozenset(CAMEL.sub("_", name).lower().replace("-", "_").split("_"))


def setting_of(tool: str, arguments: Mapping[str, Any]) -> str | None:
    """A digest of what a call sets, without the value; None for a call that sets nothing.

    Equal for two calls of one tool that set the same thing, whatever they set it to.
    """
    for key in COMMAND_KEYS:
        command = arguments.get(key)
        if isinstance(command, str) and " " in command.strip():
            return command_setting(tool, command[:COMMAND_CHARS_MAX])
    if not sets(tool):
        return None
    normal = normalise(dict(arguments))
    if not isinstance(normal, dict):
        return None
    given = cast("dict[str, Any]", normal)
    for old, new in REPLACED:
        if old in given and new in given:
            texts = sorted((str(given[old]), str(given[new])))
            kept = {name: item for name, item in given.items() if name not in (old, new)}
            return digest_of(tool, [kept, texts])
    thing = {name: item for name, item in given.items() if not is_value(name)}
    if all(map(is_scope, thing)):
        return digest_of(tool, given)  # nothing is named: equal only for the same call
    return digest_of(tool, thing)


def command_setting(tool: str, command: str) -> str | None:
    """What a command or a statement sets."""
    if not COMMAND.search(command):
        return None
    if STATEMENT.match(command):
        masked = SET_CLAUSE.sub(lambda clause: COMMAND_VALUE.sub("~", clause[0]), command, count=1)
    else:
        masked = COMMAND_VALUE.sub("~", command)
    return digest_of(tool, " ".join(masked.split()))


@remembered
def sets(tool: str) -> bool:
    """True for tools whose verb leaves a state behind that the next call replaces."""
    own = [word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)]
    verb = next((word for word in own if word in SETTING or tier_of_verb(word)), None)
    return verb in SETTING


def digest_of(tool: str, thing: Any) -> str:
    """A digest of one thing that a tool sets."""
    return hash_value(CANONICAL.encode([tool, thing]).encode("utf-8", "replace"))
