"""Tools whose work cannot be undone because it has left the house: payments, mails, bookings."""

from __future__ import annotations

from functools import lru_cache

from aftershock.model import Tier
from aftershock.policy import languages
from aftershock.policy.tiers import NAMESPACE, WORDS, is_shell, tier_of_name
from aftershock.policy.words import words_of

LEAVING = words_of("""
    bill book buy charge debit dial dispatch email invite mail order pay payment payout purchase
    refund reimburse reimbursement remit send sms transfer wire withdraw
""")
# What is sent to a machine over and over, to be alive or to be typed.
ROUTINE = words_of("""
    agent event events heartbeat input keepalive key keys keystrokes log logs metric metrics ping
    signal stdin telemetry
""")


@lru_cache(maxsize=4_096)
def is_irrevocable(tool: str) -> bool:
    """True for tools whose name says that they pay, send or book something for others."""
    words = {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)}
    if not words & (LEAVING | languages.LEAVING) or words & ROUTINE or is_shell(tool):
        return False
    return tier_of_name(tool) is not Tier.READ
