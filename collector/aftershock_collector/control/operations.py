"""Programs with subcommands that operate infrastructure: kubectl, git, docker, clouds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aftershock.entity import entity_key
from aftershock.model import Tier
from aftershock.policy.reading_programs import GIT_READS, git_reads
from aftershock.policy.words import words_of
from aftershock_collector.control.effects import (
    DESTROYS,
    READS,
    UNKNOWN,
    WRITES,
    Effect,
    Words,
    from_verb,
    option,
    positional,
)
from aftershock_collector.reading.tiers import ORDER

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
        "--as", "--as-group", "--as-uid", "--cache-dir", "--certificate-authority", "--username",
        "--client-certificate", "--client-key", "--log-flush-frequency", "--password",
        "--profile", "--profile-output", "--request-timeout", "--tls-server-name", "-v", "--v",
        "--vmodule", "--field-selector", "--tail", "--since", "--timeout",
    ]
)  # fmt: skip
KUBE_KINDS = {
    "deploy": "deployment", "deployment": "deployment", "deployments": "deployment",
    "deployment.apps": "deployment", "po": "pod", "pod": "pod", "pods": "pod",
}  # fmt: skip
SUBCOMMANDS: Mapping[str, Mapping[str, Tier]] = {
    "git": dict.fromkeys(["clean", "filter-branch", "filter-repo"], Tier.DESTRUCTIVE),
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
            ["stop", "kill", "mask", "disable", "isolate", "poweroff", "reboot", "halt"],
            Tier.DESTRUCTIVE,
        ),
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
# Options before a verb: those that have a value, and those that have none.
VALUED: Mapping[str, frozenset[str]] = {
    "kubectl": KUBECTL_VALUES,
    "git": words_of("-C -c --git-dir --work-tree --namespace --super-prefix --config-env"),
    "docker": words_of("-H --host -c --context --config -l --log-level --tlscacert --tlscert "
                       "--tlskey -f --file -p --project-name --profile --env-file "
                       "--project-directory --ansi --progress --parallel"),
    "helm": words_of("-n --namespace --kube-context --kubeconfig --kube-apiserver --kube-as-user "
                     "--kube-as-group --kube-ca-file --kube-token --registry-config --burst-limit "
                     "--repository-cache --repository-config --qps"),
    "systemctl": words_of("-t --type -H --host -M --machine -s --signal -p --property -n --lines "
                          "-o --output --root --state --job-mode"),
    "redis-cli": words_of("-h -p -s -a -u -r -i -n -D -d --user --pass --cacert --cert "
                          "--key --sni"),
    "clouds": words_of("--region --profile --project --query --output --endpoint-url --color "
                       "--ca-bundle --cli-read-timeout --cli-connect-timeout --account --format "
                       "--verbosity --impersonate-service-account --configuration --subscription "
                       "--billing-project -o"),
}  # fmt: skip
FLAGS = words_of("""
    --debug --verbose --quiet --help --version --bare --paginate -P -A --all-namespaces -D --tls
    --tlsverify --insecure-skip-tls-verify --match-server-version --user --system --now --force
    -q --all --failed --full --global -g --raw --csv --json --insecure -help -version -3 -2 -e
""")
CLOUDS = frozenset({"aws", "gcloud", "az", "oci", "doctl"})
CLOUD_READS = words_of(
    "describe list get show head ls tail wait help version lookup search filter scan query"
)
CLOUD_DESTROYS = words_of(
    "delete terminate remove rm rb purge destroy deregister deletion stop disable detach revoke"
)
CLOUD_PROVISIONS = ("run-instances", "create", "scale", "resize", "update-auto-scaling")
CLOUD_WRITES = words_of(
    "update deploy restart start reset set add patch import export attach move ssh scp invoke put "
    "modify reboot run execute send publish apply enable cancel restore failover rollback cp sync "
    "mv copy upload deallocate assign grant undelete unset drain call submit promote"
)


def by_subcommand(program: str, words: Words) -> Effect:
    """A program whose first words decide."""
    found = from_verb(words, VALUED.get(program, frozenset()), FLAGS)
    if not found:  # options alone: redis-cli obeys its standard input
        return UNKNOWN if program == "redis-cli" else READS
    return gravest(with_verb(program, one, words[: len(words) - len(one)]) for one in found)


def gravest(effects: Iterable[Effect]) -> Effect:
    """The effect that can do most harm."""
    return max(effects, key=lambda effect: ORDER.index(effect.tier))


def with_verb(program: str, words: Words, before: Words) -> Effect:
    """A program whose verb is the first of these words."""
    verb = words[0] if words else None
    if verb is None:
        return UNKNOWN
    if program == "git":
        return git(verb, words[1:], before)
    if program == "docker" and verb in DOCKER_OBJECTS:
        nested = from_verb(words[1:], VALUED["docker"], FLAGS)
        return gravest([docker_object(one[0] if one else None) for one in nested] or [READS])
    if program == "terraform" and {"-destroy", "--destroy"} & set(words) and verb == "apply":
        return DESTROYS
    if program == "terraform" and verb in {"state", "workspace"}:
        second = next(iter(positional(words[1:], frozenset())), None)
        reads = second in {"list", "show", "pull"}
        return READS if reads else DESTROYS if second in {"rm", "delete"} else WRITES
    return Effect(SUBCOMMANDS[program].get(verb.lower(), Tier.WRITE))


DOCKER_OBJECTS = words_of("compose container image volume network system builder buildx stack "
                          "service node secret config swarm context plugin manifest")  # fmt: skip


def docker_object(verb: str | None) -> Effect:
    """What is done to containers, volumes and the like."""
    if verb in {"rm", "remove", "prune", "down", "kill", "leave"}:
        return DESTROYS
    return READS if verb in {"ls", "ps", "logs", "inspect", "top", "config", "df"} else WRITES


def git(verb: str, rest: Words, before: Words) -> Effect:
    """git: what rewrites or discards destroys; configuration and aliases may run anything."""
    acting = ("-c", "--exec-path=", "--config-env")
    if any(word is None or word.startswith(acting) for word in before):
        return UNKNOWN
    flags = [word for word in rest if word and word.startswith("-")]
    places = [word for word in rest if word and not word.startswith("-")]
    discards = {
        "push": any(re.match(r"--(?:fo|mi|del|pru)|-\w*[fd]", flag) for flag in flags)
        or any(word.startswith(("+", ":")) for word in places),
        "reset": any(flag.startswith("--h") for flag in flags),
        "branch": any(re.match(r"-\w*[dD]|--del", flag) for flag in flags),
        "stash": places[:1] in (["drop"], ["clear"]),
        "reflog": places[:1] in (["expire"], ["delete"]),
    }
    if discards.get(verb):
        return DESTROYS
    if (tier := SUBCOMMANDS["git"].get(verb)) is not None:
        return Effect(tier)
    if None in rest and verb not in GIT_READS:
        return UNKNOWN
    return READS if git_reads(verb, rest) else WRITES


# Verbs of kubectl that only pretend with --dry-run.
KUBECTL_DRY = words_of("""
    apply create delete patch replace scale set label annotate run expose autoscale drain cordon
    uncordon taint
""")


def kubectl(words: Words) -> Effect:
    """kubectl: its verb, and the objects in their namespace."""
    own = words[: words.index("--")] if "--" in words else words
    found = from_verb(own, KUBECTL_VALUES, FLAGS)
    return gravest([kubectl_verb(one, own) for one in found] or [READS])


def kubectl_verb(words: Words, whole: Words) -> Effect:
    """Kubectl with the verb that is the first of these words; `whole`: options before it too."""
    verb = words[0] if words else None
    if verb is None:
        return UNKNOWN
    found = positional(words, KUBECTL_VALUES)
    second = found[1] if len(found) > 1 else None
    if verb in KUBECTL_READS or (verb in KUBECTL_DRY and is_dry(whole)):
        return READS
    if verb == "auth":
        return READS if second in {"can-i", "whoami"} else WRITES
    namespace = option(whole, frozenset({"-n", "--namespace"})) or "default"
    targets = tuple(objects(found[1:], namespace))
    if verb in {"config", "rollout"} and len(found) > 1:
        reads = {"view", "get-contexts", "current-context", "status", "history"}
        return (
            READS if second in reads else Effect(Tier.WRITE, tuple(objects(found[2:], namespace)))
        )
    replaces = verb in {"replace", "apply"} and {"--force", "--prune"} & set(whole)
    if verb in KUBECTL_DESTROYS or replaces:
        return Effect(Tier.DESTRUCTIVE, targets)
    if verb in {"scale", "autoscale"}:
        return Effect(Tier.PROVISION, targets)
    return Effect(Tier.WRITE, targets)


def is_dry(words: Words) -> bool:
    """True where the last --dry-run that is no value of another option says so."""
    given = [
        word.partition("=")[2] or "client"
        for before, word in zip(("", *words), words, strict=False)
        if word and word.partition("=")[0] == "--dry-run" and before not in KUBECTL_VALUES
    ]
    return bool(given) and given[-1] in {"client", "server", "true"}


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


def cloud(program: str, words: Words) -> Effect:
    """aws, gcloud, az: the verb is one of the first words, as in `describe-instances`."""
    found = from_verb(words, VALUED["clouds"], FLAGS)
    return gravest([cloud_words(program, one) for one in found] or [READS])


def cloud_words(program: str, words: Words) -> Effect:
    """A service or group, its verb, and what follows: names of things are no verbs."""
    end = next((n for n, word in enumerate(words) if word and word.startswith("-")), len(words))
    named = [*words[:end]]
    if program == "aws":
        named = positional(words, VALUED["clouds"])[:2]
    if None in named[:4] or not named:
        return UNKNOWN
    verb = next((word for word in named[1:] if word and cloud_tier(word) is not None), "")
    tier = cloud_tier(verb or "") or Tier.WRITE
    if program == "aws" and "--delete" in words:  # s3 sync
        tier = Tier.DESTRUCTIVE
    return Effect(tier)


def cloud_tier(word: str) -> Tier | None:
    """The tier of a verb of a cloud; None if the word is none."""
    parts = word.split("-")
    if CLOUD_DESTROYS & set(parts):
        return Tier.DESTRUCTIVE
    if word.startswith(CLOUD_PROVISIONS):
        return Tier.PROVISION
    if parts[0] in CLOUD_READS or parts[:2] == ["batch", "get"]:
        return Tier.READ
    return Tier.WRITE if parts[0] in CLOUD_WRITES else None
