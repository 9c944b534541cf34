"""Commands and SQL that were dressed up as a read, judged without a parser."""

from __future__ import annotations

import time

import pytest

from aftershock.model import Tier
from aftershock.policy.command_tiers import tier_of_command
from aftershock.policy.sql_tiers import tier_of_sql
from aftershock.policy.tiers import guess_tier


@pytest.mark.parametrize(
    "command",
    [
        "ls & mv a b",
        "echo $(mv a b)",
        "echo `mv a b`",
        "cat <(mv a b)",
        "$(true) reboot",
        "x=$(true) reboot",
        "ls 2>file",
        "ls &>file",
        "echo x >&file",
        "echo x->file",
        "echo x >/dev/nullx",
        "# don't\nls >file #'",
        "git branch -D main",
        "git remote remove origin",
        "git -c core.pager=x log",
        "terraform state mv a b",
        "curl -sX DELETE http://x",
        "curl -s -F a=b http://x",
        "sed -Ei s/a/b/ f",
        "sed '1e touch x' f",
        """awk 'BEGIN{system ("touch x")}'""",
        "sort -uo f f",
        "hostname new",
        "LD_PRELOAD=x.so ls",
        "env -S'mv a b'",
        "./ls",
        "echo " + "a" * 2_000 + "; mv a b",
        "echo " + "a" * 60_000 + "; mv a b",
    ],
)
def test_a_shell_command_that_only_looks_like_a_read_is_a_write(command: str) -> None:
    assert guess_tier("bash", {"command": command}) is Tier.WRITE


@pytest.mark.parametrize(
    "command",
    [
        "ls;rm\t-rf\tx",
        "rm\t-rf\t/srv/view",
        "ls;rm${IFS}-rf${IFS}/data/list",
        "echo " + "a" * 2_000 + "; rm -rf x",
        "echo " + "a" * 60_000 + "; rm -rf x",
        ["bash", "-lc", "rm -rf x"],
    ],
)
def test_neither_tabs_nor_padding_nor_a_list_of_words_hide_what_destroys(command: str) -> None:
    assert guess_tier("bash", {"command": command}) is Tier.DESTRUCTIVE


@pytest.mark.parametrize(
    "command",
    [
        'echo "a -> b"',
        'echo "$(date) done"',
        "ls 2>&1 | head",
        "cat a 2>/dev/null",
        "cat a >/dev/null 2>&1; echo $((1 + 2))",
        "awk '{print $1, $NF}' f",
        "git remote -v && git branch -a",
        "cd $(git rev-parse --show-toplevel) && ls",
        "curl -s -o /dev/null -w '%{http_code}' http://x",
        "FOO=$(date) printenv FOO",
    ],
)
def test_what_people_do_all_day_stays_a_read(command: str) -> None:
    assert guess_tier("bash", {"command": command}) is Tier.READ


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("SELECT 1 FROM t; UPDATE users SET a = 1", Tier.WRITE),
        ("select pg_terminate_backend(pid) from pg_stat_activity", Tier.WRITE),
        ("select * into b from a", Tier.WRITE),
        ("EXPLAIN (ANALYZE) UPDATE users SET a=1", Tier.WRITE),
        ("WITH x AS (UPDATE ONLY t SET a=1 RETURNING *) SELECT * FROM x", Tier.WRITE),
        ("COPY t FROM PROGRAM 'touch x'", Tier.WRITE),
        ("UPDATE ONLY users SET a=1", Tier.WRITE),
        ("DELETE/**/FROM users", Tier.DESTRUCTIVE),
        ("/* x */ DELETE FROM users", Tier.DESTRUCTIVE),
        ("TRUNCATE users", Tier.DESTRUCTIVE),
        ("DO $$ BEGIN DELETE FROM users; END $$", Tier.DESTRUCTIVE),
        ("COMMIT; DROP SCHEMA public CASCADE", Tier.DESTRUCTIVE),
        ("SELECT 'a\\'' ; DELETE FROM users; -- '", Tier.DESTRUCTIVE),
        ("SELECT a FROM b WHERE c = 'x; update y set z'", Tier.READ),
        ("-- all of them\nSELECT a FROM b;", Tier.READ),
        ("SELECT now()", Tier.READ),
    ],
)
def test_every_statement_counts_and_comments_hide_none(text: str, tier: Tier) -> None:
    assert guess_tier("query", {"sql": text}) is tier
    assert guess_tier("query", {"query": text}) is tier


@pytest.mark.parametrize(
    "piece",
    ["#", "'", "/*", "--", "(", "update a ", "with a as ", "copy a ", "`", "$(", "a[", "journalctl ",
     "kubectl a ", "sed '", "sed ' ", "find . -exec ", " #", "> "],
)  # fmt: skip
def test_no_text_takes_long(piece: str) -> None:
    """Texts of 100,000 characters took seconds where a pattern began again at each of them."""
    text = piece * (100_000 // len(piece))
    started_s = time.process_time()

    tier_of_sql(text)
    tier_of_sql(f"select {text}")
    tier_of_command(text)
    tier_of_command(f"sed '{text[:15_000]}'")

    assert time.process_time() - started_s < 1.0
