"""The local on-call receiver: a webhook that prints each page once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Page = Mapping[str, Any]
