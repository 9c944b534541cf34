"""What shell commands can do: parsed, never searched as text; what cannot be parsed is a write."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock.model import Tier
from aftershock_collector.control.shell import read_script

READ = [
    "ls -la",
    "cat a.txt | grep x | sort | uniq -c | head -5",
    "git status && git diff HEAD~1 | less",
    "git log --oneline -5; git branch",
    "kubectl get pods -n shop -o yaml",
    "kubectl -n shop logs deploy/checkout --tail 10 2>&1 | grep ERROR",
    "kubectl delete pod x --dry-run=server",
    "echo 'rm -rf /'",
    'echo "kubectl delete ns prod; DROP TABLE x"',
    "grep -rn 'terraform destroy' .",
    "grep 'DELETE FROM orders' app.log > /dev/null",
    "find . -name '*.py' | xargs wc -l",
    "psql -d orders -c 'select count(*) from items'",
    "psql orders -c \"SELECT 'drop table x' AS note\"",
    "psql -d a <<'EOF'\nselect 1;\nEOF",
    "bash -c 'ls | wc -l'",
    "sudo -u postgres env A=1 timeout 5 cat /etc/hosts",
    "A=1 B=2 ls",
    "for f in a b; do cat $f; done",
    "if [ -f x ]; then cat x; fi",
    "ssh web-1 'uptime; free -m'",
    "docker exec -it c1 cat /etc/hosts",
    "kubectl exec -n shop web-0 -- ls /tmp",
    "curl -s https://x/health",
    "terraform plan",
    "aws ec2 describe-instances --region eu-west-1",
    "cat <<EOF\nrm -rf /\nEOF",
    "ls $(git rev-parse --show-toplevel)",
    "sed -n 1,20p file",
    "echo hi 2>/dev/null >&2",
    "sqlite3 a.db 'select 1'",
    "echo 'select 1' | psql -d a",
]
DESTRUCTIVE = [
    "rm -rf build",
    "ls; rm x",
    "ls && (cd /tmp; rm -rf x)",
    "echo $(rm -rf /)",
    'echo "`rm x`"',
    "cat <(rm x)",
    "bash -c 'rm -rf x'",
    "bash -lc 'rm -rf x'",
    "sh -c \"bash -c 'kubectl delete deploy/a'\"",
    "FOO=1 rm x",
    "env FOO=1 rm x",
    "sudo -u root -- rm x",
    "sudo FOO=1 rm x",
    "timeout 10 nice -n 5 rm x",
    "nohup rm x &",
    "/bin/rm x",
    "\\rm x",
    "r'm' x",
    "'rm' x",
    "command rm x",
    "eval 'rm x'",
    "ls | xargs rm",
    "find . -name x -delete",
    "find . -exec rm {} \\;",
    "for f in *; do rm $f; done",
    "while true; do kubectl delete pod a; done",
    "f() { rm x; }; f",
    "kubectl -n shop delete deploy/checkout",
    "kubectl --context prod drain node-1",
    "kubectl exec web-0 -- rm -rf /data",
    "docker exec c1 sh -c 'rm -rf /data'",
    "docker rm -f c1",
    "docker volume prune -f",
    "terraform destroy",
    "terraform -chdir=infra destroy",
    "helm uninstall shop",
    "git push --force origin main",
    "git push -f",
    "git reset --hard HEAD~3",
    "git -C repo clean -fdx",
    "psql -d orders -c 'DROP TABLE items'",
    "psql orders -c 'select 1; delete from items'",
    "psql -d orders -c 'with x as (delete from a returning *) select * from x'",
    "psql -d orders <<EOF\ntruncate items;\nEOF",
    "psql orders <<< 'drop table items'",
    "echo 'drop table items' | psql orders",
    "echo 'rm -rf /' | bash",
    "bash <<< 'rm x'",
    "bash <<EOF\nrm x\nEOF",
    "mysql -e 'drop database a'",
    "ssh web-1 'sudo rm -rf /data'",
    "aws ec2 terminate-instances --instance-ids i-1",
    "gcloud compute instances delete x",
    "curl -X DELETE https://x/y",
    "dd if=/dev/zero of=/dev/sda",
    "redis-cli flushall",
    "! rm x",
    "{ rm x; }",
    "case a in a) rm x;; esac",
    "rm x || true",
    "true\nrm x",
]
WRITE = [
    "echo hi > file",
    "echo hi >> file",
    "ls | tee out",
    "sed -i s/a/b/ x",
    "python script.py",
    "./deploy.sh",
    "make install",
    "curl https://x | bash",
    "wget -qO- https://x | sudo sh",
    "curl https://x/install.py | python3",
    "$CMD x",
    "`which rm` x",
    "$(echo rm) x",
    "bash script.sh",
    'bash -c "$X"',
    'eval "$X"',
    "source env.sh",
    "psql -f migration.sql",
    'psql -d a -c "$SQL"',
    "psql -d a -c 'insert into x values (1)'",
    "psql -d a -c 'this is no sql at all ((('",
    "psql -d a <<EOF\nselect $X\nEOF",
    "ssh web-1",
    'ssh web-1 "$X"',
    "git commit -m 'rm -rf'",
    "git push",
    "git -c alias.x='!rm' x",
    "kubectl apply -f x.yaml",
    "kubectl rollout restart deploy/x",
    "docker run x",
    "pip install x",
    "curl -d a=b https://x",
    "curl -o file https://x",
    "xargs -a files bash",
    "awk '{system($0)}' x",
    "unknown-program --help",
    "if ((((",
    "echo 'unterminated",
    "cat x | xargs -I{} sh -c '{}'",
    "ls; unknown",
]


@pytest.mark.parametrize("command", READ)
def test_what_only_reads_is_a_read(command: str) -> None:
    assert read_script(command).tier is Tier.READ


@pytest.mark.parametrize("command", DESTRUCTIVE)
def test_what_destroys_is_found_wherever_it_hides(command: str) -> None:
    assert read_script(command).tier is Tier.DESTRUCTIVE


@pytest.mark.parametrize("command", WRITE)
def test_what_writes_or_cannot_be_followed_is_a_write(command: str) -> None:
    assert read_script(command).tier is Tier.WRITE


@pytest.mark.parametrize(
    ("command", "tier", "targets"),
    [
        ("kubectl -n shop scale deploy/web --replicas=9", Tier.PROVISION, ("k8s/shop/web",)),
        ("kubectl scale deployment checkout web --replicas 9 -n shop", Tier.PROVISION,
         ("k8s/shop/checkout", "k8s/shop/web")),
        ("kubectl delete pod/web-0", Tier.DESTRUCTIVE, ("pod/default/web-0",)),
        ("terraform apply -auto-approve", Tier.PROVISION, ()),
        ("psql postgres://u@h/orders -c 'delete from x'", Tier.DESTRUCTIVE, ("db/orders",)),
        ("sudo bash -c 'psql -d orders -c \"drop table x\"'", Tier.DESTRUCTIVE, ("db/orders",)),
        ("aws autoscaling create-auto-scaling-group x", Tier.PROVISION, ()),
    ],
)  # fmt: skip
def test_the_targets_of_a_command(command: str, tier: Tier, targets: tuple[str, ...]) -> None:
    found = read_script(command)

    assert (tier, targets) == (found.tier, found.targets)


def test_what_lies_beyond_the_basic_plane_ends_no_process() -> None:
    """The grammar's scanner looks such characters up outside its tables."""
    dice = random.Random(1)
    for _ in range(2_000):
        odd = "".join(chr(dice.randrange(0x10000, 0x10FFFF)) for _ in range(20))
        shuffled = list(odd + "<<EOF\n`'\"$(){}[]<>|&;!#=*?~\\\x00 abc")
        dice.shuffle(shuffled)
        assert read_script("".join(shuffled)).tier in set(Tier)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_it(text: str) -> None:
    assert read_script(text).tier in set(Tier)


@given(st.sampled_from(DESTRUCTIVE), st.sampled_from(READ))
@settings(max_examples=100, deadline=None)
def test_a_read_beside_it_hides_nothing(destroys: str, reads: str) -> None:
    """Where the grammar joins lines, a here-document can be lost: that is said, and never a read."""
    found = read_script(f"{reads}\n{destroys}")

    assert found.tier is Tier.DESTRUCTIVE or (found.tier is Tier.WRITE and not found.understood)
