"""How long a call itself says that it may last."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.policy.time_limits import allowed_of


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        ({"command": "make", "timeout": 7_200_000}, 7_200),
        ({"command": "make", "timeout": 3_600}, 3_600),
        ({"command": "make", "timeout_ms": 9_000}, 9),
        ({"cmd": "make", "timeoutSeconds": "5400"}, 5_400),
        ({"timeout": "90m"}, 5_400),
        ({"command": "timeout -k 10 2h make"}, 7_200),
        ({"command": "kubectl wait job/x --timeout=90m"}, 5_400),
        ({"command": "helm upgrade a b --timeout 20m0s"}, None),
        ({"command": "make", "time": 5}, None),
        ({"timeout": True}, None),
    ],
)
def test_a_limit_is_read_with_its_unit(arguments: dict[str, Any], seconds: float | None) -> None:
    assert allowed_of(arguments) == seconds
