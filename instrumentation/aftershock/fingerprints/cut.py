"""Texts that a recorder cut: what is missing was shown to the agent, so it is unknown."""

from __future__ import annotations

# Lengths at which recorders and OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT usually cut. An answer has one
# of them by chance once in some thousands, and is then only not judged.
CUT_CHARS = frozenset(
    {
        128, 256, 512, 1_000, 1_024, 2_000, 2_048, 4_000, 4_095, 4_096, 5_000, 8_000, 8_192,
        10_000, 12_000, 16_000, 16_384, 20_000, 32_000, 32_768, 50_000, 65_535, 65_536, 100_000,
    }
)  # fmt: skip
ELLIPSES = ("...", "…")  # that a recorder appends


def is_cut_by_recorder(text: str) -> bool:
    """True for a text of such a length, with or without an ellipsis at its end."""
    if len(text) in CUT_CHARS:
        return True
    return any(text.endswith(end) and len(text) - len(end) in CUT_CHARS for end in ELLIPSES)
