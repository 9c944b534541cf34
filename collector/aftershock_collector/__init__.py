"""Aftershock's collector: a process beside the agents that stores, judges, explains and notifies.

bytes ─decode→ Span ─read→ Step ─fold→ Run ─judge→ Finding ─explain→ Finding+Impact
      ─reconcile→ Report ─encode→ bytes

`otlp` decodes and `reading` reads what `sources` received; `engine` folds, judges and reconciles
with the pure core in `aftershock`; `impact` explains. `store` keeps it, `notify` and `export` send
it, `views` show it. `service` is the wiring.
"""
