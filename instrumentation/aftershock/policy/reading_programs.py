"""Programs that only read, and the words with which even they write or start something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from aftershock.policy.words import words_of

Words = Sequence[str | None]  # None: known only when it runs

READING_PROGRAMS = words_of("""
    ls cat head tail grep rg egrep fgrep find wc stat file du df ps top free uptime date whoami
    pwd echo printf env printenv which type tree less more awk gawk mawk sed sort uniq cut tr diff
    cmp jq yq dig nslookup host ping traceroute netstat ss lsof id uname hostname history cd test
    true false sleep column nl od xxd md5sum sha256sum basename dirname realpath readlink
    journalctl pgrep lsblk lscpu vmstat iostat getent pytest ctest jest vitest eslint flake8 mypy
    pyright pg_isready nc curl
""")
# A word of one of these programs that makes it write, or start another program.
ACTING_WORDS: Mapping[str, re.Pattern[str]] = {
    program: re.compile(pattern)
    for program, pattern in {
        "date": r"-\w*s|--s|\d{8}",
        "hostname": r"[^-]|-\w*[bF]|--[bf]",
        "yq": r"-[a-zA-Z]*i|--in|-s|--split-exp$",
        "xxd": r"-r",
        "tree": r"-o",
        "journalctl": r"--(?:vac|rot|flu|relinq|sync|upd|setup)",
        "ss": r"-[a-zA-Z0-9]*K|--k",
        "history": r"-[cdwarns]",
        "rg": r"--(?:pre$|pre=|hostname-bin)",
        "eslint": r"--fix|-o|--output",
        "mypy": r"--install",
        "file": r"-\w*C|--comp",
        "sort": r"-[a-zA-Z0-9.,]*o|--o|--comp",
        "find": r"-(?:delete|exec|ok|fprint|fls)",
        "less": r"-\w*[oOk]|--(?:log|LOG|les)|\+",
        "more": r"\+",
    }.items()
}
# Commands that evaluate an index, as in 'a[$(command)]', although it stands in quotes.
EVALUATING = words_of(": test [ [[ printf unset read export local wait set exit return break shift")
# Variables whose value is a program, or is loaded by one.
STARTS_PROGRAM = re.compile(
    r"(?:LD_|DYLD_)\w+|GIT_(?!AUTHOR|COMMITTER)\w+|\w*PAGER|\w*EDITOR|VISUAL|BASH_ENV|ENV|LESSOPEN"
    r"|LESSCLOSE|PYTHON\w+|PERL5\w+|RUBYOPT|NODE_OPTIONS|PROMPT_COMMAND|KUBECTL_EXTERNAL_DIFF|IFS"
)


def is_installed(folder: str) -> bool:
    """False for a program beside the work: `./ls` is whatever somebody wrote there."""
    return not folder or folder.rpartition("/")[2] in {"bin", "sbin", ".bin"}


def only_reads(program: str, words: Words) -> bool:
    """True if a program is known, and does nothing but read with these words behind it."""
    if program in EVALUATING:
        return not any(map(runs_an_index, words))
    if program not in READING_PROGRAMS:
        return False
    if (special := SPECIAL.get(program)) is not None:
        return special(words)
    acting = ACTING_WORDS.get(program)
    if acting is None:
        return True
    if any(word and acting.match(word) for word in words):
        return False
    # A word that is not known may be such a word, unless it is the value of an option.
    before = ("", *words)
    return not any(
        word is None and (program == "find" or not (previous or "").startswith("-"))
        for previous, word in zip(before, words, strict=False)
    )


def runs_an_index(word: str | None) -> bool:
    """True for `a[$(command)]`."""
    return word is not None and "[" in word and ("$(" in word or "`" in word)


# --- Programs that need more than a look at each word ---------------------------------------------

CURL_VALUED = frozenset("AbcCdDeEFHKmoPQrtTuUwxXyYz")  # short options that have a value
CURL_SENDS = (
    "--data", "--form", "--upload-file", "--json", "--output", "--remote-name", "--config",
    "--cookie-jar", "--dump-header", "--quote", "--libcurl", "--trace", "--mail-", "--post",
    "--telnet-option", "--stderr", "--etag-save", "--hsts", "--alt-svc",
)  # fmt: skip
NOWHERE = frozenset({"/dev/null", "-"})


def curl_options(words: Words) -> list[tuple[str, str | None]]:
    """Options with their values, those of clusters as in `-sXPOST` too; None: no value."""
    found: list[tuple[str, str | None]] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word is None or not word.startswith("-") or word == "-":
            continue
        if word.startswith("--"):
            follows = rest[0] if rest and not str(rest[0]).startswith("-") else None
            found.append((word, follows))
            continue
        for place, letter in enumerate(word[1:], 2):
            if letter in CURL_VALUED:
                found.append((f"-{letter}", word[place:] or (rest.pop(0) if rest else None)))
                break
            found.append((f"-{letter}", None))
    return found


def curl_method(words: Words) -> str:
    """The method that curl is told to use."""
    given = [value for name, value in curl_options(words) if is_option(name, "-X", "--request")]
    return (given[-1] or "").upper() if given else "GET"


def curl_reads(words: Words) -> bool:
    """Curl reads with GET and HEAD, without a body, and where it saves nothing."""
    if None in words:
        return False
    for name, value in curl_options(words):
        if name in {"-o", "--output"} and value in NOWHERE:
            continue
        if name in {"-d", "-F", "-T", "-o", "-O", "-K", "-D", "-c", "-Q", "-J", "-t"}:
            return False
        if name.startswith("--") and is_option(name, *CURL_SENDS):
            return False
    return curl_method(words) in {"GET", "HEAD", "OPTIONS"}


def is_option(given: str, *names: str) -> bool:
    """True for an option, for a longer one that begins so, and for an abbreviation of it."""
    return any(
        given == name
        or (name.startswith("--") and (given.startswith(name) or name.startswith(given)))
        for name in names
    )


SED_ADDRESS = r"(?:\d+(?:~\d+)?|\$|/(?:[^/\\]|\\.)*/I?)"
SED_COMMAND = re.compile(
    rf"""[\s;{{}}]*+ (?:{SED_ADDRESS} (?:\s*+,\s*+(?:{SED_ADDRESS}|[+~]\d+))?)? \s*+(?:!\s*+)?
    (?: [pdqDPNnhHgGx=l]\d* | \#[^\n]*
      | s(?P<d>[^\\\w\s])(?:(?!(?P=d))[^\\]|\\.)*(?P=d)(?:(?!(?P=d))[^\\]|\\.)*(?P=d)[gpiI\d]*
      | y(?P<e>[^\\\w\s])(?:(?!(?P=e))[^\\]|\\.)*(?P=e)(?:(?!(?P=e))[^\\]|\\.)*(?P=e)
    ) (?=[;\s{{}}]|$) [\s;{{}}]*+""",
    re.VERBOSE | re.DOTALL,
)
SED_SCRIPT = re.compile(r"-[nErsuz]*e|--e\w*=?")


def sed_reads(words: Words) -> bool:
    """Sed reads unless it edits in place, or its script writes files or runs commands."""
    if None in words:
        return False
    scripts: list[str | None] = []
    places: list[str | None] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word is None or not word.startswith("-"):
            places.append(word)
        elif re.match(r"-[nErsuzl0-9]*[if]|--(?:in|f)", word):
            return False
        elif (option := SED_SCRIPT.match(word)) is not None:
            scripts.append(word[option.end() :] or (rest.pop(0) if rest else None))
    return all(map(sed_script_reads, scripts or places[:1]))


def sed_script_reads(script: str | None) -> bool:
    """True for a script of commands that print, delete and substitute only."""
    place = 0
    while script and place < len(script):
        match = SED_COMMAND.match(script, place)
        if match is None:
            return False
        place = match.end()
    return script is not None


AWK_ACTS = re.compile(r"system|getline|[>|@]")
AWK_HARMLESS = re.compile(r"-F|-v|--$|--field-separator|--assign|--version")


def awk_reads(words: Words) -> bool:
    """Awk reads unless a word could be a program that writes, or an option loads one."""
    return not any(
        word is None
        or AWK_ACTS.search(word)
        or (word.startswith("-") and not AWK_HARMLESS.match(word))
        for word in words
    )


def uniq_reads(words: Words) -> bool:
    """Uniq writes into the second file that it is given."""
    places = [word for word in words if word is None or not word.startswith("-")]
    return len([word for word in places if word is None or not word.isdigit()]) < 2


def nc_reads(words: Words) -> bool:
    """Netcat only looks whether a port is open with -z; else it sends what it is given."""
    return any(word and re.match(r"-[a-zA-Z0-9]*z", word) for word in words)


SPECIAL: Mapping[str, Callable[[Words], bool]] = {
    "curl": curl_reads, "sed": sed_reads, "awk": awk_reads, "gawk": awk_reads, "mawk": awk_reads,
    "uniq": uniq_reads, "nc": nc_reads,
}  # fmt: skip

# --- git ------------------------------------------------------------------------------------------

GIT_READS = words_of("""
    status log diff show blame grep ls-files ls-tree rev-parse rev-list describe shortlog cat-file
    for-each-ref fetch help version reflog merge-base
""")
# Options with which git starts a program, or writes a file.
GIT_ACTS = re.compile(
    r"--(?:output(?!-)|upload|receive|open-f|ext-diff|exec|config-env|textconv)|-O"
)
GIT_LISTING = words_of("list show get get-url")


def git_reads(verb: str, rest: Words) -> bool:
    """True for a verb of git that only reads with the words behind it."""
    if any(word and GIT_ACTS.match(word) for word in rest):
        return False
    places = [word for word in rest if word is None or not word.startswith("-")]
    options = {word for word in rest if word and word.startswith("-")}
    if verb == "reflog":
        return not places or places[0] not in {"expire", "delete"}
    if verb in {"branch", "remote", "tag", "worktree", "stash", "config"}:
        listing = places[0] in GIT_LISTING if places else verb not in {"stash", "config"}
        asks = verb == "config" and options & {"--list", "-l", "--get", "--get-all"}
        changes = re.compile(r"-[dDmMcCfeu]|--(?:del|mov|cop|for|edit|uns|set|add|rep|ren|rem)")
        return bool(listing or asks) and not any(map(changes.match, options))
    return verb in GIT_READS
