"""kubectl and helm: verbs, and the workloads that they name."""

from __future__ import annotations

from aftershock.model import Tier
from aftershock.recorder.command_lines.words import Program, Read, Words, tier_by, valued

_KUBECTL = {
    Tier.READ: frozenset(
        [
            "get",
            "describe",
            "logs",
            "top",
            "explain",
            "api-resources",
            "api-versions",
            "diff",
            "version",
            "cluster-info",
            "events",
            "wait",
            "config",
            "kustomize",
            "options",
            "completion",
        ]
    ),
    Tier.PROVISION: frozenset({"scale", "autoscale"}),
    Tier.DESTRUCTIVE: frozenset({"delete", "drain", "evict"}),
}
_KINDS = {
    "po": "pod", "pod": "pod", "pods": "pod", "no": "host", "node": "host", "nodes": "host",
    "svc": "service", "service": "service", "services": "service",
    "deploy": "k8s", "deployment": "k8s", "deployments": "k8s", "deployment.apps": "k8s",
    "sts": "k8s", "statefulset": "k8s", "statefulsets": "k8s", "ds": "k8s", "daemonset": "k8s",
    "daemonsets": "k8s", "rs": "k8s", "replicaset": "k8s", "job": "k8s", "jobs": "k8s",
    "cronjob": "k8s", "hpa": "k8s",
}  # fmt: skip
_GROUPED = {"rollout", "set", "config", "auth", "certificate", "top", "create"}


def _kubectl(given: Words) -> Read:
    verb = given.word(0)
    start = 1
    if verb in _GROUPED:
        verb, start = f"{verb} {given.word(1)}".strip(), 2
    namespace = given.value("-n", "--namespace") or "default"
    tier = tier_by(given.word(0), _KUBECTL)
    dry = given.value("--dry-run")
    if verb in {"rollout status", "rollout history", "auth can-i", "auth whoami"} or (
        dry and dry != "none"
    ):
        tier = Tier.READ
    named = given.words[start:]
    if given.word(0) in {"cordon", "uncordon", "drain"}:
        return verb, tier, [f"host/{each}" for each in named]
    targets: list[str] = []
    kind = ""
    for each in named:
        before, slash, name = each.partition("/")
        if slash:
            targets += _kubernetes(before, namespace, name)
        elif not kind and each.lower() in _KINDS:
            kind = each
        elif kind and "=" not in each:
            targets += _kubernetes(kind, namespace, each)
        elif given.word(0) in {"exec", "logs", "cp", "attach"} and not targets:
            targets.append(f"pod/{namespace}/{each}")
    if not targets and kind and given.has("--all", "-l", "--selector"):
        targets.append(f"k8s/{namespace}/*")
    return verb, tier, targets


def _kubernetes(kind: str, namespace: str, name: str) -> list[str]:
    place = _KINDS.get(kind.lower())
    if place in {"host", "service"}:
        return [f"{place}/{name}"]
    return [f"{place}/{namespace}/{name}"] if place else []


_HELM = {
    Tier.READ: frozenset(
        [
            "list",
            "ls",
            "status",
            "get",
            "history",
            "template",
            "diff",
            "lint",
            "show",
            "search",
            "version",
            "repo",
            "env",
        ]
    ),
    Tier.DESTRUCTIVE: frozenset({"uninstall", "delete", "del", "un"}),
}


def _helm(given: Words) -> Read:
    verb, release = given.word(0), given.word(1)
    tier = Tier.READ if given.has("--dry-run") else tier_by(verb, _HELM)
    namespace = given.value("-n", "--namespace") or "default"
    return verb, tier, [f"k8s/{namespace}/{release}"] if release and tier is not Tier.READ else []


_KUBECTL_VALUED = valued(
    "-n --namespace -l --selector -f --filename -o --output -c --container --context --cluster "
    "--user --kubeconfig --replicas --field-selector --patch -p --type --timeout -k --kustomize "
    "--as --as-group --as-uid --cache-dir --certificate-authority --client-certificate "
    "--client-key --password --profile --profile-output --tls-server-name --username -v --v "
    "--token --server -s --image --grace-period --revision --to-revision --request-timeout "
    "--from-literal --from-file --overrides --current-replicas --resource-version --min --max"
)


PROGRAMS = {
    "kubectl": Program(_KUBECTL_VALUED, _kubectl),
    "oc": Program(_KUBECTL_VALUED, _kubectl),
    "helm": Program(
        valued(
            "-n --namespace -f --values --set --set-string --set-file --version --timeout "
            "--kube-context --kubeconfig --repo --history-max --description -o --output"
        ),
        _helm,
    ),
}  # fmt: skip
