"""How long a name may be: of a run, an agent, a tool, a service, anything that is acted on."""

from __future__ import annotations

from hashlib import blake2b

NAME_CHARS_MAX = 256  # Kubernetes' names have at most 253; indexes hold names by the ten thousand
KEPT_CHARS = 223  # of a longer one, and a hash of the whole: two names stay two


def shortened(name: str) -> str:
    """The name itself, or what it begins with and a hash of all of it."""
    if len(name) <= NAME_CHARS_MAX:
        return name
    whole = blake2b(name.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{name[:KEPT_CHARS]}~{whole}"
