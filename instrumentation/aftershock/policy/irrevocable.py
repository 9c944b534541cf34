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
# Words of tools that move money: nobody wants the same payment twice.
MONEY = words_of("""
    debit money pay payment payout refund reimburse reimbursement remit
    bezahlen ueberweisen ueberweisung zahlen zahlung pagar pago paiement virement pagare pagamento
    bonifico
""")
# Files and calls are transferred too, and batteries charged: beside these, or alone, it is money.
MAY_BE_MONEY = words_of("bill charge transfer transferencia wire withdraw withdrawal")
OF_MONEY = words_of("account amount balance bank card credit customer fee funds invoice sepa")
MAKING = words_of("confirm create do execute initiate make new send submit")
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


@lru_cache(maxsize=4_096)
def moves_money(tool: str) -> bool:
    """True for irrevocable tools whose name says that money moves."""
    words = {word.lower() for word in WORDS.findall(NAMESPACE.sub("", tool) or tool)}
    certain = words & MONEY or (words & MAY_BE_MONEY and words <= MAY_BE_MONEY | OF_MONEY | MAKING)
    return bool(certain) and is_irrevocable(tool)
