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
# What Alertmanager reads when it tells somebody. An empty file: that receiver is not used.
RECEIVERS = ("webhook_url", "slack_url", "pagerduty_key", "opsgenie_key", "smtp_password")


def complete(folder: Path) -> list[str]:
    """Add what is missing; returns what was added, for a person."""
    wanted = {
        "GRAFANA_ADMIN_PASSWORD": secrets.token_urlsafe(PASSWORD_BYTES),
        "HOST_NAME": socket.gethostname(),
    }
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
            secret.parent.mkdir(mode=0o755, exist_ok=True)
            secret.touch(mode=0o644)  # Alertmanager's image reads it as another user
            added.append(str(secret))
    return added


if __name__ == "__main__":
    for each in complete(Path(sys.argv[1] if len(sys.argv) > 1 else ".")):
        sys.stdout.write(f"made {each}\n")
