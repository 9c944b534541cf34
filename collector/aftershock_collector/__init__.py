"""Aftershock's collector: beside the agents it stores, judges, explains and tells.

bytes ─decode→ Span ─read→ Step ─fold→ Run ─judge→ Finding ─explain→ Finding+Impact
      ─reconcile→ Report ─encode→ bytes

`decode` and `read` turn what arrived into steps; `engine` holds the memory and calls the pure
core in `aftershock` (fold, rules, reconcile) and `impact`; `page`, `encode` and `timeline` tell
what was found. Only `edges` touch the world; `intake`, `judging` and `service` wire them.
"""
