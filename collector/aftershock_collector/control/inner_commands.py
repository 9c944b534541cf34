"""Commands inside the words of another: behind sudo, in `env -S`, ssh, docker exec and find."""

from __future__ import annotations

import re

from aftershock.policy.reading_programs import READING_PROGRAMS, STARTS_PROGRAM
from aftershock.policy.words import words_of
from aftershock_collector.control.effects import Words, positional, values

# Programs that run the command that follows them, and their options that have a value.
WRAPPERS: dict[str, frozenset[str]] = {
    "sudo": words_of("-u -g -h -p -C -r -t -T -D -R -U --user --group --host --prompt --role "
                     "--type --close-from --other-user --chroot --chdir --command-timeout"),
    "doas": words_of("-u -C"),
    "env": words_of("-u --unset -C --chdir"),
    "nohup": frozenset(), "time": words_of("-f -o --format --output"), "command": frozenset(),
    "exec": frozenset({"-a"}), "builtin": frozenset(), "nice": words_of("-n --adjustment"),
    "ionice": words_of("-c -n -p --class --classdata"), "setsid": frozenset(),
    "stdbuf": words_of("-i -o -e --input --output --error"),
    "timeout": words_of("-s --signal -k --kill-after"),
    "xargs": words_of("-I -n -P -L -d -a -s -E --max-args --max-procs --max-lines --delimiter "
                      "--arg-file --max-chars"),
    "watch": words_of("-n --interval"), "strace": words_of("-e -o -p -s -E -P -u"),
    "chroot": frozenset(), "unbuffer": frozenset(), "then": frozenset(),
    "parallel": words_of("-j --jobs -a --arg-file -I -n"), "aftershock": frozenset(),
    "busybox": frozenset(), "toybox": frozenset(), "pkexec": frozenset({"--user"}),
    "flock": words_of("-w --timeout -E"), "gosu": frozenset(), "taskset": frozenset(),
    "systemd-run": words_of("-p --property -u --unit"), "unshare": frozenset(),
    "nsenter": words_of("-t --target -S -G"), "setpriv": frozenset(),
}  # fmt: skip
# Their first word is a time, a place, a user or a set of processors.
FIRST_IS_THEIRS = frozenset({"timeout", "chroot", "flock", "gosu", "taskset"})
JOINING = frozenset({"watch", "parallel"})  # they hand their words to a shell
SSH_VALUED = words_of("-B -b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w")
SSH_RUNS = re.compile(r"(?i)(?:proxy|local|knownhosts)command|permitlocal|include|match")
FIND_RUNS = ("-exec", "-ok")


def split_string(words: Words) -> str | None:
    """The command line in the value of `env -S`; None without one."""
    for place, word in enumerate(words[1:], 1):
        if word is None or not word.startswith("-"):
            return None
        match = re.match(r"--s[\w-]*=?|-[a-zA-Z0]*S", word)
        if match is not None:
            rest = [word[match.end() :], *words[place + 1 :]]
            return "" if None in rest else " ".join(filter(None, rest))
    return None


def unwrapped(words: Words, program: str) -> tuple[Words, bool]:
    """The command inside `sudo -u x FOO=1 command …`; True where it may be another."""
    valued = WRAPPERS[program]
    place, skip, doubtful = 1, program in FIRST_IS_THEIRS, False
    while place < len(words):
        word = words[place]
        if word is None:
            return words[place:], doubtful
        if word == "--":
            place += 1
            break
        if word.startswith("-"):
            ends = not word.startswith("--") and f"-{word[-1]}" in valued
            has_value = word in valued or (len(word) > 2 and ends and word[:2] not in valued)
            following = words[place + 1] if place + 1 < len(words) else None
            long = word.startswith("--") and "=" not in word and not has_value
            doubtful = doubtful or (long and following in READING_PROGRAMS)
            place += 2 if has_value else 1
        elif "=" in word and program in {"sudo", "env", "doas"}:
            doubtful = doubtful or STARTS_PROGRAM.fullmatch(word.partition("=")[0]) is not None
            place += 1
        elif skip:
            place, skip = place + 1, False
        else:
            break
    return words[place:], doubtful


def shell_script(words: Words, given: str | None) -> str | None:
    """What a shell runs: the text behind -c, a file (which is not known), or its input."""
    has_text = reads_input = False
    place = 0
    while place < len(words):
        word = words[place]
        if word is None or not word.startswith(("-", "+")):
            return word if has_text else given if reads_input else None
        if word in {"--rcfile", "--init-file"}:
            return None
        if not word.startswith("--"):
            has_text, reads_input = has_text or "c" in word, reads_input or "s" in word
            place += word[-1] in "oO"
        place += 1
    return None if has_text else given


def ssh_scripts(words: Words) -> list[str | None]:
    """What ssh runs: on the other side, and here where an option names a command."""
    options = values(words, frozenset({"-o"}), SSH_VALUED)
    place = 0
    hosts = 0
    while place < len(words):
        word = words[place]
        if word is None or not word.startswith("-"):
            hosts += 1
            if hosts == 2:
                break
        elif any(f"-{letter}" in SSH_VALUED for letter in word[1:]):
            place += f"-{word[-1]}" in SSH_VALUED
        place += 1
    inner_words = words[place:]
    there = None if None in inner_words or not inner_words else " ".join(filter(None, inner_words))
    runs_here = any(value is None or SSH_RUNS.match(value) for value in options)
    return [there, None] if runs_here else [there]


def executed(after: Words) -> str | None:
    """The command of `docker exec -it c …` and `kubectl exec pod -- …`, as a script."""
    valued = frozenset({"-e", "--env", "-u", "--user", "-w", "--workdir", "-n", "-c", "--env-file",
                        "--namespace", "--container", "--context", "--detach-keys"})  # fmt: skip
    if "--" in after:
        before = after[: after.index("--")]
        if len(positional(before, valued)) <= 1:
            return joined(after[len(before) + 1 :])
    rest = list(after)
    while rest and rest[0] is not None and rest[0].startswith("-"):
        rest = rest[2 if rest[0] in valued else 1 :]
    return joined(rest[1:])  # the first word is the container, or the pod


def found_commands(words: Words) -> list[str | None]:
    """What each `-exec` of find runs for each file, which is not known."""
    commands: list[list[str]] = []
    is_inside = False
    for word in words:
        if not is_inside and word and word.startswith(FIND_RUNS):
            commands.append([])
            is_inside = True
        elif word in {";", "+", "\\;"}:
            is_inside = False
        elif is_inside:
            commands[-1].append(word or "a-file")
    return [joined(command) for command in commands]


def joined(words: Words) -> str | None:
    """Words as a script again; None where one of them is not known, or there is none."""
    if not words or None in words:
        return None
    return " ".join(quoted(word) for word in words if word is not None)


def quoted(word: str) -> str:
    """A word so that a shell reads it as one."""
    return "'" + word.replace("'", "'\\''") + "'"


def name_of(word: str | None) -> str | None:
    """The name of a program, without its folder."""
    return None if word is None else word.rpartition("/")[2]
