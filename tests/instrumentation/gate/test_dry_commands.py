"""Commands that can be tried without an effect; everything else has no dry run."""

from __future__ import annotations

import pytest

from aftershock.gate.dry_commands import dry_command

PSQL = ["psql", "-X", "-w"]


@pytest.mark.parametrize(
    ("command", "tried"),
    [
        (
            "kubectl -n shop scale deploy/a --replicas=6",
            "kubectl -n shop scale deploy/a --replicas=6 --dry-run=server",
        ),
        ("kubectl delete pod x", "kubectl delete pod x --dry-run=server"),
        ("terraform apply -auto-approve", "terraform plan -no-color -input=false -lock=false"),
        (
            "terraform -chdir=prod destroy -target=a.b -auto-approve",
            "terraform -chdir=prod plan -no-color -input=false -lock=false -target=a.b -destroy",
        ),
        ("tofu apply -input=false saved.plan", "tofu show -no-color saved.plan"),
    ],
)
def test_a_command_with_a_mode_that_changes_nothing_is_tried_in_it(
    command: str, tried: str
) -> None:
    assert dry_command("Bash", {"command": command}) == tried.split()


def test_a_statement_is_explained_and_not_run() -> None:
    words = dry_command("shell", {"command": 'psql -h db shop -c "DELETE FROM x WHERE a = 1;"'})

    assert words == [*PSQL, "-h", "db", "shop", "-c", "EXPLAIN DELETE FROM x WHERE a = 1"]
    assert dry_command("exec_command", {"cmd": ["kubectl", "delete", "pod", "x"]}) is not None


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf /",
        "kubectl get pods",  # a read needs none
        "kubectl exec x -- rm y",
        "kubectl apply -f -",
        "kubectl apply edit-last-applied deploy/a",
        "kubectl delete pod x --dry-run=none",
        "kubectl delete pod x; rm y",
        "kubectl delete pod $(rm y)",
        "kubectl delete pod x | tee y",
        "kubectl delete pod `rm y`",
        "kubectl delete pod x > y",
        "sudo kubectl delete pod x",
        "KUBECONFIG=a kubectl delete pod x",
        "terraform apply -state=x",
        "terraform import a b",
        "terraform apply saved.plan -target=x",
        'psql -c "DELETE FROM x; DROP TABLE y"',
        'psql -c "DROP TABLE y"',
        'psql -c "SELECT 1"',
        'psql -f x.sql -c "DELETE FROM x"',
        'psql -c "DELETE FROM x" -c "DELETE FROM y"',
        r'psql -c "DELETE FROM x \gexec"',
        'psql -v ON_ERROR_STOP=1 -c "DELETE FROM x"',
        'mysql -e "DELETE FROM x"',
        "kubectl delete pod 'x",
        "",
    ],
)
def test_what_is_not_known_to_be_without_an_effect_is_never_tried(command: str) -> None:
    assert dry_command("Bash", {"command": command}) is None


def test_an_argument_that_is_no_command_of_a_shell_is_not_tried() -> None:
    assert dry_command("create_ticket", {"command": "kubectl delete pod x"}) is None
    assert dry_command("Bash", {}) is None
