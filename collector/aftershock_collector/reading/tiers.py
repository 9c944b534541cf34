"""Which of several tiers a whole counts as."""

from __future__ import annotations

from collections.abc import Iterable

from aftershock.model import Tier

ORDER = (Tier.READ, Tier.WRITE, Tier.PROVISION, Tier.DECOMMISSION, Tier.DESTRUCTIVE)


def worst(tiers: Iterable[Tier]) -> Tier:
    """The tier that can do most harm; read, where there is none."""
    return max(tiers, key=ORDER.index, default=Tier.READ)
