"""The key of this process's fingerprints: from the environment, the collector's folder, or random.

Processes with the same key make fingerprints that can be compared, on one host or on several. The
collector makes the key of its folder when it starts; agents of the same user on that host read it.
Elsewhere it is configured: `AFTERSHOCK_FINGERPRINT_KEY`, or the path of a file with it in
`AFTERSHOCK_FINGERPRINT_KEY_FILE`. To rotate it, replace it and restart: its id is sent along.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aftershock.fingerprints.keyed import key_id, use_key

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger("aftershock")

KEY_VARIABLE = "AFTERSHOCK_FINGERPRINT_KEY"
FILE_VARIABLE = "AFTERSHOCK_FINGERPRINT_KEY_FILE"
HOME_VARIABLE = "AFTERSHOCK_HOME"
FILE_NAME = "fingerprint.key"
KEY_CHARS_MAX = 4_096  # of a file; a key is 64 characters


def install(environment: Mapping[str, str] = os.environ) -> None:
    """Use the key of this installation; a random one, reported in one line, where there is none."""
    if key_id():
        return
    try:
        key = configured(environment) or read(home(environment) / FILE_NAME)
        if key:
            use_key(key)
            return
        reason = f"neither {KEY_VARIABLE} nor {home(environment) / FILE_NAME} is there"
    except (OSError, ValueError) as error:
        reason = str(error)
    use_key(secrets.token_bytes(32))
    logger.warning("aftershock: fingerprints can be compared within this process only: %s", reason)


def configured(environment: Mapping[str, str]) -> bytes | None:
    """The key that the environment names. Raises OSError for a file that cannot be read."""
    if text := environment.get(KEY_VARIABLE, "").strip():
        return text.encode()
    if place := environment.get(FILE_VARIABLE, "").strip():
        return Path(place).read_text("utf-8").strip()[:KEY_CHARS_MAX].encode()
    return None


def read(place: Path) -> bytes | None:
    """The key in a file of the collector's. None: there is none that this user can read."""
    try:
        return place.read_text("utf-8").strip()[:KEY_CHARS_MAX].encode() or None
    except OSError:
        return None


def create(folder: Path) -> bytes:
    """The key in the collector's folder, made once, for this user only. Raises OSError."""
    place = folder / FILE_NAME
    if key := read(place):
        return key
    key = secrets.token_hex(32)
    draft = folder / f".{FILE_NAME}.{os.getpid()}"
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{key}\n")
    try:
        place.hardlink_to(draft)  # whole or not at all, and never over another's
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return read(place) or key.encode()


def home(environment: Mapping[str, str]) -> Path:
    """The folder of a collector on this machine, as platformdirs names it for the collector."""
    if given := environment.get(HOME_VARIABLE):
        return Path(given).expanduser()
    if sys.platform == "darwin":
        return Path("~/Library/Application Support/aftershock").expanduser()
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA", "~")).expanduser() / "aftershock"
    return Path(environment.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "aftershock"
