"""Writes .env and secrets/ for docker-compose.yml: passwords made up once, never replaced.

    python3 deploy/environment.py [FOLDER]

Needs nothing but Python. What is there already stays as it is.
"""

from __future__ import annotations

import secrets
import socket
import sys
from pathlib import Path

PASSWORD_BYTES = 24
SELINUX = Path("/sys/fs/selinux/enforce")  # holds 1 where SELinux refuses unlabelled mounts
# What Alertmanager reads when it sends a page. An empty file: that receiver is not used.
RECEIVERS = ("webhook_url", "slack_url", "pagerduty_key", "opsgenie_key", "smtp_password")


def complete(folder: Path) -> list[str]:
    """Add what is missing; returns what was added, for a person."""
    wanted = {
        "GRAFANA_ADMIN_PASSWORD": secrets.token_urlsafe(PASSWORD_BYTES),
        "HOST_NAME": socket.gethostname(),
        "STACK_URL": "http://127.0.0.1",  # every link on pages and in alerts begins with it
    }
    if is_selinux_enforcing():
        wanted["MOUNT_OPTIONS"] = "ro,z"
    place = folder / ".env"
    lines = place.read_text(encoding="utf-8").splitlines() if place.exists() else []
    known = {line.partition("=")[0].strip() for line in lines}
    missing = {name: value for name, value in wanted.items() if name not in known}
    if missing:
        place.touch(mode=0o600)
        place.chmod(0o600)
        lines += [f"{name}={value}" for name, value in missing.items()]
        place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    added = [f"{place}: {name}" for name in missing]
    for name in RECEIVERS:
        secret = folder / "secrets" / name
        if not secret.exists():
            secret.parent.mkdir(exist_ok=True)
            secret.touch()
            added.append(str(secret))
        # Alertmanager's image reads them as another user, whatever this shell's umask is.
        secret.parent.chmod(0o755)
        secret.chmod(0o644)
    return added


def is_selinux_enforcing() -> bool:
    """True where SELinux keeps containers from unlabelled files."""
    try:
        return SELINUX.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def has_receiver(folder: Path) -> bool:
    """True where at least one receiver has an address or a key."""
    return any((folder / "secrets" / name).stat().st_size for name in RECEIVERS)


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for each in complete(place):
        sys.stdout.write(f"made {each}\n")
    if not has_receiver(place):
        sys.stderr.write(
            "nobody will be paged: write your webhook's address into "
            f"{place / 'secrets' / 'webhook_url'}\n"
        )
