"""docker-compose.yml and what it mounts: pinned, bounded, on loopback, and understood by programs."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftershock_collector.config.model import ENVIRONMENT
from aftershock_collector.demo.discovery import targets
from aftershock_collector.demo.infrastructure import Shop
from tests.stack.requirements import need
from tests.stack.standing import COMPOSE, ROOT

COLLECTOR = ROOT / "deploy" / "otel-collector"
ADDED_TO = ["docker", "kubernetes", "kubernetes-events"]
# Its image holds one program, which cannot ask itself: Prometheus does (TelemetryStoreDown).
UNASKED = {"otel-collector"}


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


SERVICES: dict[str, dict[str, Any]] = compose()["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_bounded_and_heard_on_loopback_only(name: str) -> None:
    service = SERVICES[name]

    assert "build" in service or re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"])
    assert [] == [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
    asked = "healthcheck" in service or ("HEALTHCHECK" in dockerfile() and "build" in service)
    assert asked or name in UNASKED


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_mounts_is_in_the_tree_and_is_read_only(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        place, _, rest = mount.partition(":")
        if place == "./out":
            continue  # where the demo leaves its page
        if place.startswith("./"):
            assert place == "./secrets" or (ROOT / place).is_dir(), mount  # files are replaced
            assert rest.endswith((":ro", ":${MOUNT_OPTIONS:-ro}")), mount
        elif not place.startswith(("/", ".", "${")):
            assert place in compose()["volumes"], mount


def test_nothing_in_the_default_start_needs_dockers_socket_or_shared_mounts() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]

    assert [] == [mount for mount in mounts if "docker.sock" in mount]
    assert {"/:/hostfs:${HOST_MOUNT_OPTIONS:-ro}"} == {m for m in mounts if m.startswith("/:")}
    assert "docker.yaml" not in re.sub(r"(?m)#.*$", "", text)


def test_what_measures_containers_is_added_by_a_file_of_its_own() -> None:
    added = yaml.safe_load((ROOT / "deploy/compose/docker-stats.yaml").read_text(encoding="utf-8"))
    (name,) = added["services"]
    command = SERVICES[name]["command"]

    assert command == added["services"][name]["command"][: len(command)]
    assert "--config=/etc/otelcol/docker.yaml" in added["services"][name]["command"]
    assert (COLLECTOR / "docker.yaml").exists()


def test_every_link_is_made_from_one_base_address() -> None:
    linked = [
        line.strip()
        for line in (ROOT / "docker-compose.yml").read_text(encoding="utf-8").splitlines()
        if any(word in line for word in ("external-url", "ROOT_URL", "AFTERSHOCK_LINK"))
    ]

    assert len(linked) == 4
    assert [] == [line for line in linked if "${STACK_URL:-http://127.0.0.1}:" not in line]


def test_passwords_are_asked_for_and_never_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert "GF_SECURITY_ADMIN_PASSWORD: ${GRAFANA_ADMIN_PASSWORD:?" in text
    assert not re.search(r"(?i)(password|secret|token)\w*: +[\"']?\w+[\"']?$", text, re.MULTILINE)


def test_what_compose_tells_the_collector_is_what_the_collector_reads() -> None:
    variables = set(SERVICES["aftershock"]["environment"]) - {"AFTERSHOCK_POLICY"}

    assert variables <= set(ENVIRONMENT)


def test_native_addresses_stand_for_services_of_compose() -> None:
    assert {place.partition(":")[0] for place in COMPOSE} <= set(SERVICES)
    text = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    scraped = set(re.findall(r"targets: \[([a-z-]+:\d+)\]", text))

    assert scraped == set(COMPOSE)


# --- As the client reads it -----------------------------------------------------------------------

ENVIRONMENT_FILE = """\
HOST_NAME=web-1
GRAFANA_ADMIN_PASSWORD=made-up
"""


def resolved(folder: Path, settings: str, *arguments: str) -> dict[str, Any]:
    """What the client makes of docker-compose.yml with these settings in .env; needs no daemon."""
    (client,) = need("docker-compose")
    (folder / ".env").write_text(ENVIRONMENT_FILE + settings, encoding="utf-8")
    base = ("--env-file", str(folder / ".env"), "--project-directory", str(ROOT))
    whole = [str(client), *base, "-f", str(ROOT / "docker-compose.yml"), *arguments]
    bare = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        [*whole, "config", "--format", "json"],
        capture_output=True, text=True, check=False, env=bare, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "level=warning" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def test_the_client_reads_every_service_and_publishes_on_loopback_only(tmp_path: Path) -> None:
    found = resolved(tmp_path, "", "--profile", "demo")
    ports = [port for one in found["services"].values() for port in one.get("ports", [])]

    assert found["services"].keys() == SERVICES.keys()
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert found["networks"]["aftershock"]["name"] == "aftershock"


def test_one_setting_moves_every_link(tmp_path: Path) -> None:
    text = json.dumps(resolved(tmp_path, "STACK_URL=https://ops.example.com\n"))

    assert text.count("https://ops.example.com:") == 6
    assert "http://127.0.0.1" not in re.sub(r'"test": \[[^]]*\]', "", text)  # health checks stay


def test_mounts_take_the_options_that_a_host_needs(tmp_path: Path) -> None:
    settings = "MOUNT_OPTIONS=ro,z\nHOST_MOUNT_OPTIONS=ro,rslave\n"
    mounts = [
        mount
        for service in resolved(tmp_path, settings)["services"].values()
        for mount in service.get("volumes", [])
        if mount["type"] == "bind"
    ]
    host = [mount for mount in mounts if mount["source"] == "/"]
    labelled = [mount for mount in mounts if mount["bind"].get("selinux") == "z"]

    assert {mount["bind"].get("propagation") for mount in host} == {"rslave"}
    assert all(mount["read_only"] for mount in mounts)
    assert labelled
    assert not any(mount["source"] == "/" for mount in labelled)  # it would relabel the machine


def test_measuring_containers_adds_dockers_socket_and_nothing_else(tmp_path: Path) -> None:
    before = resolved(tmp_path, "")
    added = ("-f", str(ROOT / "deploy" / "compose" / "docker-stats.yaml"))
    after = resolved(tmp_path, "", *added)
    changed = {
        name for name in SERVICES if before["services"].get(name) != after["services"].get(name)
    }
    sources = [mount["source"] for mount in after["services"]["otel-collector"]["volumes"]]

    assert changed == {"otel-collector"}
    assert "/var/run/docker.sock" in sources


def dockerfile() -> str:
    return (ROOT / "deploy" / "aftershock" / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_runs_as_nobody_in_particular_and_copies_what_is_there() -> None:
    lines = dockerfile().splitlines()
    copied = [
        word
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert "USER aftershock" in lines
    assert [] == [name for name in copied if not (ROOT / name).exists()]
    assert [] == [name for name in copied if f"!{name.partition('/')[0]}" not in ignored]


@pytest.mark.parametrize("added", ["", *ADDED_TO])
def test_the_opentelemetry_collector_accepts_its_configuration(added: str, tmp_path: Path) -> None:
    (otelcol,) = need("otelcol")
    files = [COLLECTOR / "collector.yaml", *([COLLECTOR / f"{added}.yaml"] if added else [])]
    elsewhere = {"K8S_AUTH": "none", "K8S_NODE_NAME": "node", "COLLECTOR_QUEUES": str(tmp_path)}
    command = [str(otelcol), "validate", *(f"--config={file}" for file in files)]

    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **elsewhere}
    )

    assert ran.returncode == 0, ran.stderr


def test_the_small_distribution_has_every_part_that_a_configuration_names() -> None:
    manifest = (COLLECTOR / "builder.yaml").read_text(encoding="utf-8").replace("_", "")
    used = {
        f"{name.partition('/')[0].replace('_', '')}{kind.removesuffix('s')}"
        for file in ("collector", *ADDED_TO)
        for kind in ("receivers", "processors", "exporters")
        for name in yaml.safe_load((COLLECTOR / f"{file}.yaml").read_text()).get(kind, {})
    }
    spelled = {  # the module's older name
        "otlpgrpcexporter": "otlpexporter", "healthcheckextension": "healthcheckextension",
    }  # fmt: skip

    assert [] == sorted(part for part in used if f"/{spelled.get(part, part)} v" not in manifest)


def test_traces_with_risky_actions_errors_findings_and_agents_are_always_kept() -> None:
    document = yaml.safe_load((COLLECTOR / "collector.yaml").read_text(encoding="utf-8"))
    policies = {p["name"]: p for p in document["processors"]["tail_sampling"]["policies"]}

    tiers = policies["risky-actions"]["string_attribute"]
    assert ("aftershock.action.tier", ["write", "destructive", "provision", "decommission"]) == (
        tiers["key"],
        tiers["values"],
    )
    assert {"errors", "findings", "agents", "everything-else"} <= set(policies)


def test_what_aftershock_says_never_comes_back_to_it() -> None:
    document = yaml.safe_load((COLLECTOR / "collector.yaml").read_text(encoding="utf-8"))

    for name, pipeline in document["service"]["pipelines"].items():
        assert "memory_limiter" == pipeline["processors"][0], name
        if "otlp/aftershock" in pipeline["receivers"]:
            assert "otlp_http/aftershock" not in pipeline["exporters"], name


def test_passwords_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    script = ROOT / "deploy" / "environment.py"
    (tmp_path / ".env").write_text("HOST_NAME=mine\n", encoding="utf-8")

    def made() -> str:
        subprocess.run([sys.executable, script, tmp_path], check=True, capture_output=True)
        return (tmp_path / ".env").read_text(encoding="utf-8")

    first, again = made(), made()
    assert first == again
    values = dict(line.split("=", 1) for line in again.splitlines())
    assert "mine" == values["HOST_NAME"]
    assert len(values["GRAFANA_ADMIN_PASSWORD"]) >= 24
    assert 0o600 == stat.S_IMODE((tmp_path / ".env").stat().st_mode)
    assert (tmp_path / "secrets" / "webhook_url").exists()


def test_secrets_are_readable_by_alertmanagers_user_under_any_umask(tmp_path: Path) -> None:
    script = ROOT / "deploy" / "environment.py"
    command = f"umask 077; exec {sys.executable} {script} {tmp_path}"
    done = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True)

    folder = tmp_path / "secrets"
    assert 0o755 == stat.S_IMODE(folder.stat().st_mode)
    assert {0o644} == {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert "nobody will be paged" in done.stderr
    (folder / "webhook_url").write_text("http://127.0.0.1:9/page", encoding="utf-8")
    again = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True)
    assert ("", "") == (again.stdout, again.stderr)


def test_the_demos_shop_is_found_under_the_names_that_its_tools_use() -> None:
    here = {"url": "http://127.0.0.1:1", "admin": "http://127.0.0.1:2"}

    groups = targets(Shop("SQLite", here, here, here))

    assert [{"127.0.0.1:2"}] * 3 == [set(group["targets"]) for group in groups]
    assert ["checkout", "catalog", "operations"] == [group["labels"]["job"] for group in groups]
    assert "orders" == groups[2]["labels"]["database"]
