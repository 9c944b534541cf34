"""Shell commands: what a whole script can do, by parsing it; never by searching its text.

Pipes, lists, loops, substitutions, here-documents, `bash -c`, wrappers such as sudo and xargs, and
commands inside ssh, docker and kubectl are followed. What cannot be parsed is a write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from aftershock.model import Tier
from aftershock.policy.command_tiers import REMEMBERED_CHARS_MAX, tier_of_command
from aftershock.policy.reading_programs import (
    STARTS_PROGRAM,
    runs_an_index,
)
from aftershock_collector.control.effects import (
    READS,
    UNKNOWN,
    WRITES,
    Effect,
    Words,
    from_verb,
    values,
)
from aftershock_collector.control.inner_commands import (
    FIND_RUNS,
    JOINING,
    WRAPPERS,
    executed,
    found_commands,
    name_of,
    shell_script,
    split_string,
    ssh_scripts,
    unwrapped,
)
from aftershock_collector.control.operations import FLAGS, VALUED
from aftershock_collector.control.programs import effect_of
from aftershock_collector.reading.tiers import worst

COMMAND_CHARS_MAX = 50_000
DEPTH_MAX = 6  # of scripts inside scripts
SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh", "ash"})
SAFE_FILES = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})
NO_WORDS = frozenset(
    {"variable_assignment", "file_redirect", "herestring_redirect", "heredoc_redirect", "comment"}
)
ASSIGNMENT = re.compile(rb"^\w+=")
LITERALS = frozenset({"word", "number", "raw_string", "string", "concatenation", "string_content"})

FOREIGN = re.compile(r"[^\t\n\x20-\x7e]")
ESCAPED_START = re.compile(r"\n[ \t]*\\(?=\w)")

_parser = Parser(Language(tree_sitter_bash.language()))


@dataclass(frozen=True, slots=True)
class Script:
    """What a script can do."""

    tier: Tier
    targets: tuple[str, ...]
    understood: bool  # False: a part of it counts as a write because it could not be followed


def read_script(text: str, depth: int = 0) -> Script:
    """Read a script of a shell."""
    return (_remembered if len(text) <= REMEMBERED_CHARS_MAX else _read)(text, depth)


def _read(text: str, depth: int) -> Script:
    if len(text) > COMMAND_CHARS_MAX or depth > DEPTH_MAX:
        return unfollowed(text)
    # Beyond ASCII the grammar's own scanner reads outside its tables, and the process ends.
    text = FOREIGN.sub("x", text)
    # The grammar joins a line to one that begins with a backslash, as in `\\rm x` against aliases.
    text = ESCAPED_START.sub("\n", text)
    tree = _parser.parse(text.encode("utf-8", "replace"))
    try:
        effects = list(walk(tree.root_node, depth))
    except RecursionError:  # substitutions inside substitutions
        return unfollowed(text)
    if tree.root_node.has_error:
        effects.append(Effect(unfollowed(text).tier, understood=False))
    return Script(
        worst(effect.tier for effect in effects),
        tuple(dict.fromkeys(target for effect in effects for target in effect.targets)),
        all(effect.understood for effect in effects),
    )


_remembered = lru_cache(maxsize=2_048)(_read)  # agents repeat their commands


def unfollowed(text: str) -> Script:
    """A script that cannot be followed: a write, or as grave as the words in it."""
    return Script(worst([Tier.WRITE, tier_of_command(text)]), (), understood=False)


def walk(node: Node, depth: int, given: str | None = None) -> Iterator[Effect]:
    """The effect of each command and redirection below a node."""
    if node.type == "redirected_statement":
        body = node.child_by_field_name("body")
        text = here_text(node)
        for child in node.children:
            if child == body:
                yield from walk(child, depth, text)
            else:
                yield from walk(child, depth)
        return
    if node.type == "pipeline":
        yield from pipeline(node, depth, given)
        return
    if node.type == "command":
        yield from command(node, depth, given)
    elif node.type == "file_redirect":
        yield redirected(node)
    elif node.type == "variable_assignment":
        yield from assigned(node, depth)
    elif evaluates(node):
        yield UNKNOWN
    for child in node.children:
        yield from walk(child, depth)


def evaluates(node: Node) -> bool:
    """True for text that runs although it stands in quotes: `${x@P}`, `test -v 'a[$(command)]'`."""
    if node.type == "expansion":
        return b"@P" in (node.text or b"")
    if node.type != "raw_string" or node.parent is None:
        return False
    kinds = {"unset_command", "declaration_command", "test_command"}
    return node.parent.type in kinds and runs_an_index(text_of(node))


def assigned(node: Node, depth: int) -> Iterator[Effect]:
    """An assignment to a variable whose value is a program, such as GIT_PAGER."""
    name, _, _ = text_of(node).partition("=")
    if STARTS_PROGRAM.fullmatch(name.rstrip("+")):
        value = node.child_by_field_name("value")
        script = None if value is None else literal(value)
        yield UNKNOWN
        if script is not None:
            yield inner(script, depth)


def inner(script: str | None, depth: int) -> Effect:
    """A script inside a script; None: not known."""
    if script is None:
        return UNKNOWN
    found = read_script(script, depth + 1)
    return Effect(found.tier, found.targets, found.understood)


def pipeline(node: Node, depth: int, given: str | None) -> Iterator[Effect]:
    """Commands of a pipe: what an earlier one writes is not known, unless it only echoes."""
    text, is_first = given, True
    for child in node.named_children:
        if not is_first and text is None and runs_its_input(child):
            yield UNKNOWN  # `curl … | bash`: whatever comes runs
        yield from walk(child, depth, text)
        text, is_first = echoed(child), False


def command(node: Node, depth: int, given: str | None) -> Iterator[Effect]:
    """One simple command, with the command that it wraps."""
    given = here_text(node) or given
    for words in commands_in(node):
        yield from effects_of([literal(word) for word in words], depth, given)


def effects_of(words: Words, depth: int, given: str | None) -> Iterator[Effect]:
    """What a command and those that it runs can do."""
    while words and words[0] is not None and (program := name_of(words[0])) in WRAPPERS:
        if program == "env" and (split := split_string(words)) is not None:
            yield inner(split or None, depth)
            return
        wrapped, is_doubtful = unwrapped(words, program)
        if is_doubtful:
            yield UNKNOWN
        if program in JOINING:
            yield inner(None if None in wrapped else " ".join(filter(None, wrapped)), depth)
            return
        if program == "xargs" and wrapped:
            wrapped = [*wrapped, None]  # what it reads
        words = wrapped
    if words:
        yield from unwrapped_effects(words, depth, given)


def unwrapped_effects(words: Words, depth: int, given: str | None) -> Iterator[Effect]:
    """What a command without wrappers can do, with the scripts in its words."""
    program = name_of(words[0])
    inside = scripts_in(program, words, given)
    if inside is None:
        yield effect_of(words, given)
        return
    for script in inside:
        yield inner(script, depth)
    if program == "find":
        yield effect_of([word for word in words if not (word or "").startswith(FIND_RUNS)])


def scripts_in(program: str | None, words: Words, given: str | None) -> list[str | None] | None:
    """Scripts that a command runs: `bash -c …`, `eval`, ssh, docker exec. None: it runs none."""
    rest = words[1:]
    if program in SHELLS:
        return [shell_script(rest, given)]
    if program in {"su", "runuser"}:
        return values(rest, frozenset({"-c", "--command"})) or [None]
    if program in {"eval", "source", "."}:
        whole = None if None in rest or program != "eval" else " ".join(filter(None, rest))
        return [whole]
    if program == "trap":
        return [rest[0] if rest else ""]
    if program == "alias":
        return [word and word.partition("=")[2] for word in rest]
    if program == "ssh":
        return ssh_scripts(rest)
    if program in {"docker", "podman", "kubectl", "oc", "nerdctl"}:
        valued = VALUED["kubectl" if program in {"kubectl", "oc"} else "docker"]
        found = from_verb(rest, valued, FLAGS)
        if found and found[-1] and found[-1][0] == "exec":
            return [executed(found[-1][1:])]
        return None
    if program == "find" and any(word and word.startswith(FIND_RUNS) for word in rest):
        return found_commands(rest)
    return None


# --- The tree ----------------------------------------------------------------------------------


def commands_in(node: Node) -> Iterator[list[Node]]:
    """The words of a command, its name first; assignments before it are left out.

    The grammar joins a line to the pipe above it where `||` follows: here, a line ends a command.
    """
    words: list[Node] = []
    end = node.start_byte
    source = (node.text or b"").replace(b"\\\n", b"  ")
    for child in node.children:
        gap = source[end - node.start_byte : child.start_byte - node.start_byte]
        if b"\n" in gap and words:
            yield words
            words = []
        end = child.end_byte
        if child.type == "command_name":
            words.append(child.children[0] if child.children else child)
        elif (
            child.is_named
            and child.type not in NO_WORDS
            and (words or not ASSIGNMENT.match(child.text or b""))
        ):
            words.append(child)
    if words:
        yield words


def first_words(node: Node) -> list[str | None]:
    """The words of the first command of a node."""
    for words in commands_in(node):
        return [literal(word) for word in words]
    return []


def literal(node: Node) -> str | None:
    """The text of a word. None: it depends on what is known only when it runs."""
    if node.type not in LITERALS:
        return None
    raw = text_of(node)
    if raw == "{}":  # of find and xargs
        return raw
    if node.type == "raw_string":
        return raw[1:-1]
    if node.type in {"string", "concatenation"}:
        parts: list[str | None] = [literal(child) for child in node.children if child.type != '"']
        if node.type == "string" and not node.named_children:
            return raw[1:-1]
        return None if None in parts else "".join(part for part in parts if part is not None)
    if node.type == "word" and any(mark in raw for mark in "*?[{~"):
        return None if raw.startswith("~") or "{" in raw.replace("{}", "") else raw
    return raw.replace("\\", "") if node.type == "word" else raw


def text_of(node: Node) -> str:
    """The source of a node."""
    text: Any = node.text
    return text.decode("utf-8", "replace") if text else ""


def here_text(node: Node) -> str | None:
    """What a here-document or a here-string gives to a command; None where it is not known."""
    for child in node.children:
        if child.type == "heredoc_redirect":
            body = next((one for one in child.children if one.type == "heredoc_body"), None)
            expands = body is not None and any(
                c.type != "string_content" for c in body.named_children
            )
            return None if body is None or expands else text_of(body)
        if child.type == "herestring_redirect":
            return literal(child.named_children[-1]) if child.named_children else None
    return None


def redirected(node: Node) -> Effect:
    """A redirection: into a file it writes."""
    operator = next((child.type for child in node.children if not child.is_named), "")
    if "<" in operator and ">" not in operator:
        return READS
    destination = node.child_by_field_name("destination")
    place = None if destination is None else literal(destination)
    if operator in {">&", "<&"} and place is not None and place.isdigit():
        return READS
    return READS if place in SAFE_FILES else WRITES


def runs_its_input(node: Node) -> bool:
    """True for a shell or an interpreter at the end of a pipe that reads its script from there."""
    body = node.child_by_field_name("body") or node
    if body.type != "command":
        return False
    words: Words = first_words(body)
    while words and words[0] in WRAPPERS:
        words, _ = unwrapped(words, str(words[0]))
    program = None if not words or words[0] is None else words[0].rpartition("/")[2]
    interprets = {"python", "python3", "perl", "ruby", "node", *SHELLS}
    return program in interprets


def echoed(node: Node) -> str | None:
    """What an `echo` or `printf` of known words writes; None for everything else."""
    if node.type != "command":
        return None
    words = first_words(node)
    if not words or words[0] not in {"echo", "printf"} or None in words:
        return None
    return " ".join(word for word in words[1:] if word and not word.startswith("-"))
