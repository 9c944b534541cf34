"""command_lines: what a command does and to what is read from its words."""

from __future__ import annotations

import shlex
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.model import Tier
from aftershock.recorder.command_lines import CommandLine, read_command
from aftershock.recorder.command_lines.databases import tier_of_sql


def read(text: str) -> CommandLine:
    return read_command(shlex.split(text))


@pytest.mark.parametrize(
    ("text", "tool", "tier", "targets"),
    [
        ("kubectl get pods -n prod", "kubectl get", Tier.READ, ()),
        ("kubectl -n prod scale deploy/web --replicas=0", "kubectl scale", Tier.PROVISION,
         ("k8s/prod/web",)),
        ("kubectl --context blue delete pod web-1 web-2 --namespace prod", "kubectl delete",
         Tier.DESTRUCTIVE, ("pod/prod/web-1", "pod/prod/web-2")),
        ("kubectl rollout restart deployment web", "kubectl rollout restart", Tier.WRITE,
         ("k8s/default/web",)),
        ("kubectl rollout status deployment/web", "kubectl rollout status", Tier.READ,
         ("k8s/default/web",)),
        ("kubectl drain node-7 --ignore-daemonsets", "kubectl drain", Tier.DESTRUCTIVE,
         ("host/node-7",)),
        ("kubectl delete deployment -nprod --all", "kubectl delete", Tier.DESTRUCTIVE,
         ("k8s/prod/*",)),
        ("kubectl apply -f web.yaml --dry-run=server", "kubectl apply", Tier.READ, ()),
        ("kubectl exec -n prod web-1 -c app -- ls /tmp", "kubectl exec", Tier.WRITE,
         ("pod/prod/web-1",)),
        ("helm upgrade --install web ./chart -n prod --set a=b", "helm upgrade", Tier.WRITE,
         ("k8s/prod/web",)),
        ("helm uninstall web -n prod", "helm uninstall", Tier.DESTRUCTIVE, ("k8s/prod/web",)),
        ("terraform plan -out p", "terraform plan", Tier.READ, ()),
        ("terraform apply -auto-approve -target=aws_instance.web", "terraform apply",
         Tier.PROVISION, ("terraform/aws_instance.web",)),
        ("terraform -chdir=infra destroy", "terraform destroy", Tier.DECOMMISSION, ()),
        ("psql -h db -d orders -c 'SELECT 1'", "psql", Tier.READ, ("db/orders",)),
        ("psql postgresql://u@db:5432/orders?sslmode=require -c 'DROP TABLE carts'", "psql",
         Tier.DESTRUCTIVE, ("db/orders",)),
        ('mysql -u root shop -e "UPDATE items SET price = 1"', "mysql", Tier.WRITE,
         ("db/shop",)),
        ("aws ec2 describe-instances", "aws ec2 describe-instances", Tier.READ, ()),
        ("aws ec2 terminate-instances --region eu-west-1 --instance-ids i-1",
         "aws ec2 terminate-instances", Tier.DESTRUCTIVE, ("cloud/ec2/i-1",)),
        ("aws s3 rm s3://backups/old --recursive", "aws s3 rm", Tier.DESTRUCTIVE,
         ("cloud/s3/backups",)),
        ("gcloud compute instances delete web-1 --zone z", "gcloud compute instances delete",
         Tier.DESTRUCTIVE, ("cloud/compute/instances/web-1",)),
        ("az vm restart --name web --resource-group g", "az vm restart", Tier.WRITE,
         ("cloud/vm/web",)),
        ("docker restart web", "docker restart", Tier.WRITE, ("container/web",)),
        ("docker compose down", "docker compose down", Tier.DESTRUCTIVE, ()),
        ("docker ps -a", "docker ps", Tier.READ, ()),
        ("systemctl restart nginx.service", "systemctl restart", Tier.WRITE, ("service/nginx",)),
        ("systemctl status nginx", "systemctl status", Tier.READ, ("service/nginx",)),
        ("sudo -u ops /usr/bin/systemctl stop nginx", "systemctl stop", Tier.DESTRUCTIVE,
         ("service/nginx",)),
        ("env KUBECONFIG=a kubectl get nodes", "kubectl get", Tier.READ, ()),
        ("make deploy", "make", Tier.WRITE, ()),
    ],
)  # fmt: skip
def test_what_a_command_does_is_read_from_its_words(
    text: str, tool: str, tier: Tier, targets: tuple[str, ...]
) -> None:
    assert read(text) == CommandLine(tool, tier, targets)


def test_a_word_in_quotes_is_no_verb() -> None:
    assert read("kubectl annotate deploy/web note='please do not delete'").tier is Tier.WRITE
    assert read("psql orders -c \"SELECT 'DROP TABLE carts'\"").tier is Tier.READ


def test_a_shell_does_what_the_gravest_of_its_commands_does() -> None:
    found = read("sh -c 'kubectl get pods && kubectl -n prod delete deploy web; echo done'")

    assert found == CommandLine("sh", Tier.DESTRUCTIVE, ("k8s/prod/web",))
    assert read("bash -lc 'kubectl get pods'").tool == "kubectl get"
    assert read("bash -c 'unfinished \"'").tier is Tier.WRITE


@pytest.mark.parametrize(
    ("sql", "tier"),
    [
        ("SELECT * FROM carts", Tier.READ),
        ("SELECT 1; DELETE FROM carts", Tier.DESTRUCTIVE),
        ("WITH gone AS (DELETE FROM carts RETURNING id) SELECT * FROM gone", Tier.DESTRUCTIVE),
        ("TRUNCATE carts", Tier.DESTRUCTIVE),
        ("CREATE INDEX i ON carts (id)", Tier.WRITE),
        ("INSERT INTO carts VALUES (1)", Tier.WRITE),
        ("VACUUM FULL", Tier.WRITE),
        ("SELEC (", Tier.WRITE),
    ],
)
def test_sql_is_parsed_and_what_cannot_be_may_write(sql: str, tier: Tier) -> None:
    assert tier_of_sql(sql, "postgres") is tier


def test_without_the_parser_sql_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)

    assert tier_of_sql("SELECT 1", "postgres") is Tier.WRITE


WORDS = st.sampled_from(
    [
        "kubectl", "sh", "-c", "--", "-n", "sudo", "delete", "deploy/web", "=", "-", "--x=", "",
        "a/b/c", "psql", "aws", "gcloud", "az", "docker", "helm", "terraform", "systemctl", "env",
    ]
)  # fmt: skip


@given(st.lists(WORDS, max_size=8))
def test_whatever_is_typed_is_read_as_something(argv: list[str]) -> None:
    found = read_command(argv)

    assert found.tool
    assert len(found.targets) <= 32


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("env -S 'kubectl delete ns prod'", Tier.WRITE),
        ("env '-Srm -rf /data'", Tier.WRITE),
        ("kubectl --as-group get delete ns prod", Tier.DESTRUCTIVE),
        ("kubectl -v 6 delete ns prod", Tier.DESTRUCTIVE),
        ("kubectl auth reconcile -f x", Tier.WRITE),
        ("aws ec2 terminate-instances --instance-ids i --dry-run --no-dry-run", Tier.DESTRUCTIVE),
        ("psql -c 'SELECT pg_terminate_backend(1)'", Tier.WRITE),
        ("psql -c 'SELECT * INTO b FROM a'", Tier.WRITE),
    ],
)
def test_what_only_looks_like_a_read_is_none(text: str, tier: Tier) -> None:
    assert read(text).tier is tier
