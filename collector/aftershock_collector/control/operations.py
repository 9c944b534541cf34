"""Programs with subcommands that operate infrastructure: kubectl, git, docker, clouds."""

from __future__ import annotations

from collections.abc import Mapping

from aftershock.entity import entity_key
from aftershock.model import Tier
from aftershock_collector.control.effects import (
    DESTROYS,
    READS,
    UNKNOWN,
    WRITES,
    Effect,
    Words,
    option,
    positional,
)

KUBECTL_READS = frozenset(
    [
        "get",
        "describe",
        "logs",
        "top",
        "explain",
        "version",
        "cluster-info",
        "api-resources",
        "api-versions",
        "auth",
        "diff",
        "wait",
        "events",
        "options",
        "completion",
        "kustomize",
    ]
)
KUBECTL_DESTROYS = frozenset({"delete", "drain"})
KUBECTL_VALUES = frozenset(
    [
        "-n",
        "--namespace",
        "--context",
        "--cluster",
        "--kubeconfig",
        "-f",
        "--filename",
        "-l",
        "--selector",
        "-o",
        "--output",
        "--replicas",
        "-c",
        "--container",
        "--user",
        "--server",
        "-s",
        "--token",
        "--as",
    ]
)
KUBE_KINDS = {
    "deploy": "deployment", "deployment": "deployment", "deployments": "deployment",
    "deployment.apps": "deployment", "po": "pod", "pod": "pod", "pods": "pod",
}  # fmt: skip
SUBCOMMANDS: Mapping[str, Mapping[str, Tier]] = {
    "git": {
        **dict.fromkeys(
            [
                "status",
                "log",
                "diff",
                "show",
                "blame",
                "grep",
                "ls-files",
                "ls-tree",
                "rev-parse",
                "rev-list",
                "describe",
                "shortlog",
                "cat-file",
                "for-each-ref",
                "fetch",
                "help",
                "version",
                "reflog",
                "merge-base",
            ],
            Tier.READ,
        ),
        "clean": Tier.DESTRUCTIVE,
        "filter-branch": Tier.DESTRUCTIVE,
    },
    "docker": {
        **dict.fromkeys(
            [
                "ps",
                "logs",
                "inspect",
                "images",
                "stats",
                "top",
                "version",
                "info",
                "history",
                "port",
                "diff",
                "events",
            ],
            Tier.READ,
        ),
        **dict.fromkeys(["rm", "rmi", "kill", "prune"], Tier.DESTRUCTIVE),
    },
    "helm": {
        **dict.fromkeys(
            [
                "list",
                "ls",
                "get",
                "status",
                "history",
                "show",
                "template",
                "search",
                "version",
                "lint",
                "env",
            ],
            Tier.READ,
        ),
        **dict.fromkeys(["uninstall", "delete", "del", "un"], Tier.DESTRUCTIVE),
    },
    "terraform": {
        **dict.fromkeys(
            ["plan", "show", "output", "validate", "version", "graph", "providers"], Tier.READ
        ),
        "apply": Tier.PROVISION,
        "destroy": Tier.DESTRUCTIVE,
    },
    "systemctl": {
        **dict.fromkeys(
            [
                "status",
                "list-units",
                "list-unit-files",
                "is-active",
                "is-enabled",
                "is-failed",
                "show",
                "cat",
            ],
            Tier.READ,
        ),
    },
    "pip": dict.fromkeys(["list", "show", "freeze", "check"], Tier.READ),
    "npm": dict.fromkeys(["ls", "list", "view", "outdated"], Tier.READ),
    "redis-cli": {
        **dict.fromkeys(
            ["get", "info", "keys", "scan", "ttl", "ping", "dbsize", "mget", "hgetall", "type"],
            Tier.READ,
        ),
        **dict.fromkeys(["flushall", "flushdb", "del", "unlink", "shutdown"], Tier.DESTRUCTIVE),
    },
}
CLOUDS = frozenset({"aws", "gcloud", "az", "oci", "doctl"})
CLOUD_READS = ("describe", "list", "get", "show", "head", "ls", "tail", "wait", "help", "version")
CLOUD_DESTROYS = ("delete", "terminate", "remove", "rm", "rb", "purge", "destroy", "deregister")
CLOUD_PROVISIONS = ("run-instances", "create", "scale", "resize", "update-auto-scaling")


def by_subcommand(program: str, words: Words) -> Effect:
    """A program whose first words decide."""
    table = SUBCOMMANDS[program]
    valued = frozenset({"-C", "-c", "--git-dir", "-H", "--host", "-n", "--namespace", "-p", "-a"})
    verbs = positional(words, valued)
    if program == "git":
        return git(words, verbs)
    first = next(iter(verbs), "")
    if first is None:
        return UNKNOWN
    if program == "docker" and first in {"compose", "container", "image", "volume", "network"}:
        nested = verbs[1] if len(verbs) > 1 else ""
        destroys = nested in {"rm", "prune", "down", "kill"}
        reads = nested in {"ls", "ps", "logs", "inspect", "top", "config"}
        return DESTROYS if destroys else READS if reads else WRITES
    return Effect(table.get(first.lower(), Tier.WRITE)) if first else READS


def git(words: Words, verbs: list[str | None]) -> Effect:
    """git: what rewrites or discards destroys; configuration and aliases may run anything."""
    if option(words, frozenset({"-c"})) is not None:
        return UNKNOWN
    verb = verbs[0] if verbs else ""
    flags = {word.partition("=")[0] for word in words if word and word.startswith("-")}
    if None in words and verb not in SUBCOMMANDS["git"]:
        return UNKNOWN
    if verb == "push" and flags & {"-f", "--force", "--mirror", "--delete", "-d"}:
        return DESTROYS
    if (verb == "reset" and "--hard" in flags) or (verb == "branch" and flags & {"-D", "-d"}):
        return DESTROYS
    if verb in {"branch", "remote", "stash", "tag", "config", "worktree"}:
        listing = len(verbs) == 1 or verbs[1] in {"list", "show", "get", "-v"}
        return READS if listing and verb != "stash" else WRITES
    return Effect(SUBCOMMANDS["git"].get(verb or "status", Tier.WRITE))


def kubectl(words: Words) -> Effect:
    """kubectl: its verb, and the objects in their namespace."""
    found = positional(words, KUBECTL_VALUES)
    verb = found[0] if found else "version"
    if verb is None:
        return UNKNOWN
    dry = any(word and word.startswith("--dry-run") and "none" not in word for word in words)
    if verb in KUBECTL_READS or dry:
        return READS
    namespace = option(words, frozenset({"-n", "--namespace"})) or "default"
    targets = tuple(objects(found[1:], namespace))
    if verb in {"config", "rollout"} and len(found) > 1:
        reads = {"view", "get-contexts", "current-context", "status", "history"}
        return (
            READS if found[1] in reads else Effect(Tier.WRITE, tuple(objects(found[2:], namespace)))
        )
    if verb in KUBECTL_DESTROYS:
        return Effect(Tier.DESTRUCTIVE, targets)
    if verb in {"scale", "autoscale"}:
        return Effect(Tier.PROVISION, targets)
    return Effect(Tier.WRITE, targets)


def objects(words: Words, namespace: str) -> list[str]:
    """Entities that `deploy/x`, `deployment x y` or `pods x` name."""
    found: list[str] = []
    kind = None
    for word in words:
        if word is None:
            continue
        named_kind, slash, name = word.partition("/")
        if slash:
            found.append(entity(named_kind, name, namespace))
        elif kind is None:
            kind = word
        else:
            found.append(entity(kind, word, namespace))
    return [one for one in found if one]


def entity(kind: str, name: str, namespace: str) -> str:
    """The key of a Kubernetes object; empty for kinds that have none."""
    full = KUBE_KINDS.get(kind.lower())
    if full is None or not name:
        return ""
    return entity_key({"k8s.namespace.name": namespace, f"k8s.{full}.name": name}) or ""


def cloud(words: Words) -> Effect:
    """aws, gcloud, az: the verb is one of the first words, as in `describe-instances`."""
    verbs = positional(words, frozenset({"--region", "--profile", "--project", "--query"}))
    if None in verbs[:4] or not verbs:
        return UNKNOWN
    named = [word or "" for word in verbs[:4]]
    if any(word.startswith(CLOUD_DESTROYS) for word in named):
        return DESTROYS
    if any(word.startswith(CLOUD_PROVISIONS) for word in named):
        return Effect(Tier.PROVISION)
    return READS if any(word.startswith(CLOUD_READS) for word in named[1:]) else WRITES
