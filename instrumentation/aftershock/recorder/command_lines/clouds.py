"""terraform, aws, gcloud and az: verbs, and the resources that they name."""

from __future__ import annotations

import re

from aftershock.model import Tier
from aftershock.recorder.command_lines.words import Program, Read, Words, tier_by, valued

_TERRAFORM = {
    Tier.READ: frozenset(
        [
            "plan",
            "show",
            "output",
            "validate",
            "version",
            "providers",
            "graph",
            "console",
            "fmt",
            "init",
            "get",
        ]
    ),
    Tier.PROVISION: frozenset({"apply"}),
    Tier.DECOMMISSION: frozenset({"destroy"}),
}


def _terraform(given: Words) -> Read:
    verb = given.word(0)
    if verb in {"state", "workspace"}:
        verb = f"{verb} {given.word(1)}".strip()
    tier = tier_by(verb, _TERRAFORM)
    if verb in {"state list", "state show", "workspace list", "workspace show"}:
        tier = Tier.READ
    if given.has("-destroy") and verb == "apply":
        tier = Tier.DECOMMISSION
    return verb, tier, [f"terraform/{each}" for each in given.options.get("-target", ())]


_CLOUD = {
    Tier.READ: frozenset(
        [
            "describe",
            "get",
            "list",
            "ls",
            "head",
            "wait",
            "show",
            "lookup",
            "check",
            "search",
            "query",
            "scan",
            "estimate",
            "simulate",
            "test",
            "validate",
            "preview",
            "help",
            "tail",
            "filter",
            "batch-get",
        ]
    ),
    Tier.DESTRUCTIVE: frozenset(
        [
            "delete",
            "terminate",
            "remove",
            "rm",
            "rb",
            "deregister",
            "purge",
            "destroy",
            "revoke",
            "disable",
            "detach",
            "stop",
        ]
    ),
    Tier.PROVISION: frozenset({"scale", "resize"}),
}
_IDENTITY = re.compile(r"--(?:[a-z0-9-]+-)?(?:ids?|names?|arns?|identifiers?|bucket|cluster)$")


def _identified(service: str, given: Words) -> list[str]:
    return [
        f"cloud/{service}/{value}"
        for name, values in given.options.items()
        if _IDENTITY.match(name) and name not in {"--resource-group-name", "--profile-name"}
        for value in values
    ]


def _aws(given: Words) -> Read:
    service, operation = given.word(0), given.word(1)
    tier = (
        Tier.READ
        if given.has("--dry-run", "--dryrun") and not given.has("--no-dry-run")
        else tier_by(operation.partition("-")[0], _CLOUD)
    )
    targets = _identified(service, given)
    targets += [
        f"cloud/s3/{each.removeprefix('s3://').partition('/')[0]}"
        for each in given.words[2:]
        if each.startswith("s3://")
    ]
    return f"{service} {operation}".strip(), tier, targets


def _gcloud(given: Words) -> Read:
    """Groups, then a verb, then what it is about."""
    known = {verb for verbs in _CLOUD.values() for verb in verbs} | {
        "create", "update", "deploy", "restart", "start", "reset", "set", "add", "patch", "import",
    }  # fmt: skip
    place = next((n for n, each in enumerate(given.words) if each.partition("-")[0] in known), -1)
    if place < 0:
        return " ".join(given.words[:2]), Tier.WRITE, []
    group = "/".join(given.words[:place])
    targets = [f"cloud/{group}/{each}" for each in given.words[place + 1 :]]
    tier = tier_by(given.words[place].partition("-")[0], _CLOUD)
    return " ".join(given.words[: place + 1]), tier, targets


def _az(given: Words) -> Read:
    group, verb = " ".join(given.words[:-1]), given.words[-1] if given.words else ""
    name = given.value("--name", "-n")
    targets = [f"cloud/{group.replace(' ', '/')}/{name}"] if name else []
    return f"{group} {verb}".strip(), tier_by(verb.partition("-")[0], _CLOUD), targets


PROGRAMS = {
    "terraform": Program(valued("-target -var -var-file -chdir -out -state -backend"), _terraform),
    "tofu": Program(valued("-target -var -var-file -chdir -out -state -backend"), _terraform),
    "aws": Program(
        valued(
            "--region --profile --output --query --endpoint-url --cli-input-json --filters "
            "--instance-ids --instance-id --function-name --db-instance-identifier --cluster "
            "--service --bucket --key --table-name --queue-url --stack-name --name --names "
            "--auto-scaling-group-name --desired-capacity --desired-count --group-name --role-name "
            "--policy-arn --load-balancer-arn --target-group-arn --secret-id --topic-arn "
            "--db-cluster-identifier --cluster-name --nodegroup-name --log-group-name --user-name"
        ),
        _aws,
    ),
    "gcloud": Program(
        valued("--project --zone --region --format --filter --account --configuration --size"),
        _gcloud,
    ),
    "az": Program(
        valued("--name -n --resource-group -g --subscription --output -o --query --ids --location"),
        _az,
    ),
}  # fmt: skip
