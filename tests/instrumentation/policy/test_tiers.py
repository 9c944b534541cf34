"""Tiers guessed from names and commands: cautious where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.model import Tier
from aftershock.policy.irrevocable import is_irrevocable, moves_money
from aftershock.policy.tiers import guess_tier, wait_of


@pytest.mark.parametrize(
    ("tool", "tier"),
    [
        ("get_status", Tier.READ),
        ("listPods", Tier.READ),
        ("web_search", Tier.READ),
        ("mcp__kubernetes__describe_pod", Tier.READ),
        ("github.get_issue", Tier.READ),
        ("page_down", Tier.READ),
        ("run_tests", Tier.READ),
        ("runChecks", Tier.READ),
        ("run_job", Tier.WRITE),
        ("delete_file", Tier.DESTRUCTIVE),
        ("mcp__files__remove", Tier.DESTRUCTIVE),
        ("killProcess", Tier.DESTRUCTIVE),
        ("scale_deployment", Tier.PROVISION),
        ("decommission_host", Tier.DECOMMISSION),
        ("update_record", Tier.WRITE),
        ("find_or_create_user", Tier.WRITE),
        ("search_and_replace", Tier.WRITE),
        ("frobnicate", Tier.WRITE),
        ("open_ticket", Tier.WRITE),
        ("page_oncall", Tier.WRITE),
    ],
)
def test_a_name_tells_the_tier(tool: str, tier: Tier) -> None:
    assert tier == guess_tier(tool, {})


@pytest.mark.parametrize(
    ("command", "tier"),
    [
        ("psql -d orders -c 'select count(*) from customers'", Tier.READ),
        ("sudo -u postgres psql shop -tAc 'select 1 from t;' | wc -l", Tier.READ),
        ('aftershock exec -- psql -d orders -c "\\d customers"', Tier.READ),
        ("mysql -e 'select 1 from t' shop", Tier.READ),
        ("psql -c 'select * into copy from t'", Tier.WRITE),
        ("psql -c 'select 1 from t; drop index x'", Tier.WRITE),
        ("psql -c 'select 1 from t' -f script.sql", Tier.WRITE),
        ("psql -c '\\dt' -c 'insert into t values (1)'", Tier.WRITE),
        ("psql -c 'select 1 from t' > out.txt", Tier.WRITE),
        ("psql -c \"select '$(rm x)' from t\"", Tier.DESTRUCTIVE),
        ("psql -c 'select pg_terminate_backend(4)'", Tier.WRITE),
        ('psql -c "$STATEMENT"', Tier.WRITE),
    ],
)
def test_a_client_of_a_database_only_reads_where_its_one_statement_does(
    command: str, tier: Tier
) -> None:
    assert tier is guess_tier("Bash", {"command": command})


@pytest.mark.parametrize(
    ("command", "tier"),
    [
        ("ls -la | grep x", Tier.READ),
        ("cd /srv && cat a.txt 2>/dev/null", Tier.READ),
        ("kubectl get pods -n prod", Tier.READ),
        ("kubectl -n prod get pods", Tier.READ),
        ("sed -n 1,5p a", Tier.READ),
        ("sed -i s/a/b/ a", Tier.WRITE),
        ("echo x > a", Tier.WRITE),
        ("python train.py", Tier.WRITE),
        ("git commit -m x", Tier.WRITE),
        ("rm -rf build", Tier.DESTRUCTIVE),
        ("kubectl -n prod delete pod a", Tier.DESTRUCTIVE),
        ("psql -c 'DROP TABLE orders'", Tier.DESTRUCTIVE),
        ("kubectl scale deploy/a --replicas 3", Tier.PROVISION),
        ("find . -name x -delete", Tier.WRITE),
    ],
)
def test_a_shell_command_tells_the_tier(command: str, tier: Tier) -> None:
    assert tier == guess_tier("execute_bash", {"command": command})


@pytest.mark.parametrize(
    ("tool", "arguments", "tier"),
    [
        ("str_replace_editor", {"command": "view", "path": "a"}, Tier.READ),
        ("str_replace_editor", {"command": "create", "path": "a"}, Tier.WRITE),
        ("run_query", {"query": "select * from orders"}, Tier.READ),
        ("query", {"sql": "DELETE FROM orders"}, Tier.DESTRUCTIVE),
        ("query", {"sql": "update orders set a = 1"}, Tier.WRITE),
        ("web_search", {"query": "update on the merger"}, Tier.READ),
        ("web_search", {"query": "delete"}, Tier.READ),
    ],
)
def test_what_a_call_carries_tells_the_tier(
    tool: str, arguments: dict[str, Any], tier: Tier
) -> None:
    assert tier == guess_tier(tool, arguments)


@pytest.mark.parametrize(
    ("command", "tier"),
    [
        ("timeout 25 kubectl rollout status sts/kafka -n streaming", Tier.READ),
        ("timeout --foreground -k 5 2m df -h", Tier.READ),
        ("sudo -n -u app LANG=C ls /srv", Tier.READ),
        ("nice -n 10 ionice -c 3 du -sh /var", Tier.READ),
        ("nohup env TZ=UTC date", Tier.READ),
        ("timeout 25 kubectl rollout restart sts/kafka", Tier.WRITE),
        ("sudo -n reboot", Tier.WRITE),
        ("timeout 5 ./deploy", Tier.WRITE),
    ],
)
def test_what_only_starts_a_command_does_not_change_its_tier(command: str, tier: Tier) -> None:
    assert guess_tier("bash", {"command": command}) is tier


@pytest.mark.parametrize(
    ("command", "tier"),
    [
        ("kubectl -n prod get pods", Tier.READ),
        ("kubectl --context=eu -n prod rollout status deploy/web", Tier.READ),
        ("kubectl -n prod wait pod/a --for=condition=Ready", Tier.READ),
        ("git -C /srv/app log --oneline", Tier.READ),
        ("helm --kube-context eu list -A", Tier.READ),
        ("kubectl -n get apply -f web.yaml", Tier.WRITE),
        ("kubectl -n prod rollout undo deploy/web", Tier.WRITE),
        ("git -C /srv/app push", Tier.WRITE),
    ],
)
def test_a_subcommand_is_found_behind_options(command: str, tier: Tier) -> None:
    assert guess_tier("bash", {"command": command}) is tier


@pytest.mark.parametrize(
    ("tool", "tier", "leaves"),
    [
        ("beleg_lesen", Tier.READ, False),
        ("consultar_pago", Tier.READ, False),
        ("rechercher_client", Tier.READ, False),
        ("ueberweisung_anlegen", Tier.WRITE, True),
        ("reservar_cita", Tier.WRITE, False),
        ("inviare_fattura", Tier.WRITE, True),
        ("excluir_registro", Tier.DESTRUCTIVE, False),
    ],
)
def test_verbs_in_other_languages_say_what_a_tool_does(
    tool: str, tier: Tier, *, leaves: bool
) -> None:
    assert guess_tier(tool, {}) is tier
    assert is_irrevocable(tool) is leaves


@pytest.mark.parametrize(
    ("tool", "money"),
    [
        ("create_payment", True),
        ("wire_transfer", True),
        ("send_money", True),
        ("charge_card", True),
        ("issue_refund", True),
        ("transfer_file", False),
        ("transfer_to_human_agents", False),
        ("charge_battery", False),
        ("get_payment", False),
        ("send_email", False),
    ],
)
def test_tools_that_move_money_are_told_by_their_names(tool: str, *, money: bool) -> None:
    assert moves_money(tool) is money


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [({"seconds": 20}, 20.0), ({"hours": 3}, 10_800.0), ({"days": 1}, 86_400.0), ({}, 0.0)],
)
def test_a_wait_says_how_long_it_takes(arguments: dict[str, int], seconds: float) -> None:
    assert wait_of("wait_until", arguments) == seconds
