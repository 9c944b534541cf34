"""What is pruned: which rows of which tables are old."""

from __future__ import annotations

# Tables that are small enough to be pruned at once, and their rows that are old.
# An origin's time of use may be stale by an hour; the second hour is a margin.
PRUNED = (
    ("changes", "arrived_s < :before_s"),
    ("claims", "arrived_s < :before_s AND closed_at_ns IS NOT NULL"),
    ("impacts", "arrived_s < :before_s"),
    ("suspects", "arrived_s < :before_s"),
    ("deliveries", "queued_at_ns / 1000000000 < :before_s AND next_attempt_ns IS NULL"),
    ("incidents", "arrived_s < :before_s AND closed_at_ns IS NOT NULL"),
    ("incident_findings", "incident NOT IN (SELECT number FROM incidents)"),
    ("responses", "given_at_ns / 1000000000 < :before_s AND applied_at_ns IS NOT NULL"),
    ("mutes", "until_ns / 1000000000 < :before_s"),
    ("tickets", "max(changed_at_ns, expires_at_ns) / 1000000000 < :before_s"),
    ("bypasses", "until_ns / 1000000000 < :before_s"),
    ("canaries", "begun_at_ns / 1000000000 < :before_s"),
    ("runs", ("arrived_s < :before_s AND NOT EXISTS (SELECT 1 FROM spans WHERE run = runs.id)"
              " AND NOT EXISTS (SELECT 1 FROM events WHERE run = runs.id)")),
    ("run_agents", "run NOT IN (SELECT id FROM runs)"),
    ("origins", "arrived_s < :before_s - 7200"),
)  # fmt: skip
