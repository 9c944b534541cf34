"""Reading a span's attributes: once, as a plain dictionary.

Each look into the mapping that OpenTelemetry's SDK shows passes a proxy and Python code. The copy
costs as much as two looks.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue


def attributes_of(span: object) -> dict[str, AttributeValue]:
    """The attributes that a span has now; none of a span that is not recorded."""
    shown: Any = getattr(span, "attributes", None)
    if isinstance(shown, MappingProxyType):
        return cast("MappingProxyType[str, AttributeValue]", shown).copy()
    return dict(shown or {})
