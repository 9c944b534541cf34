"""The shape of aftershock.db, and the statements that write into it.

One script per version, applied in order, never edited after a release.

Raw bodies are kept as they arrived, so a better reader can read the past again. They are not
compressed: zlib at its fastest costs 55–100 µs per span here, five times the insert itself.
"""

from __future__ import annotations

APPLICATION_ID = 0x41465453  # "AFTS": tells our file from somebody else's

# Times end in _ns and come from the data; `arrived_s` is our clock, and what pruning goes by, so
# that an old recording imported today is not thrown away at once.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE origins (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        arrived_s INTEGER NOT NULL,  -- newest use, to the hour
        body BLOB NOT NULL           -- a resource's or a scope's own bytes, stored once
    );
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        agent TEXT,
        service TEXT,
        began_at_ns INTEGER NOT NULL,
        last_ns INTEGER NOT NULL,
        arrived_s INTEGER NOT NULL,
        acts INTEGER NOT NULL    -- 0: calls of services only, no agent was seen
    );
    CREATE INDEX runs_by_last ON runs (last_ns) WHERE acts;
    CREATE TABLE spans (
        id INTEGER PRIMARY KEY,  -- grows with arrival
        trace_id BLOB NOT NULL,
        span_id BLOB NOT NULL,
        run INTEGER,             -- NULL: no agent's step
        kind TEXT,
        failed INTEGER NOT NULL,
        began_at_ns INTEGER NOT NULL,
        ended_at_ns INTEGER,     -- NULL: still open when it was sent
        arrived_s INTEGER NOT NULL,
        resource INTEGER NOT NULL,
        scope INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX spans_by_identity ON spans (trace_id, span_id);
    CREATE INDEX spans_by_run ON spans (run, kind, began_at_ns, ended_at_ns, failed)
        WHERE run IS NOT NULL;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        run INTEGER,
        name TEXT NOT NULL,
        trace_id BLOB,
        span_id BLOB,
        time_ns INTEGER NOT NULL,
        arrived_s INTEGER NOT NULL,
        resource INTEGER NOT NULL,
        scope INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE INDEX events_by_run ON events (run, time_ns) WHERE run IS NOT NULL;
    CREATE TABLE changes (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        entity TEXT NOT NULL,
        began_at_ns INTEGER NOT NULL,
        ended_at_ns INTEGER,
        arrived_s INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX changes_by_time ON changes (began_at_ns);
    CREATE TABLE claims (
        id TEXT NOT NULL,
        run_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        level TEXT NOT NULL,
        opened_at_ns INTEGER NOT NULL,
        closed_at_ns INTEGER,
        closing TEXT,
        arrived_s INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (id, opened_at_ns)  -- one row per life: a finding may come back
    );
    CREATE UNIQUE INDEX claims_open ON claims (id) WHERE closed_at_ns IS NULL;
    CREATE INDEX claims_by_run ON claims (run_id);
    CREATE INDEX claims_by_time ON claims (opened_at_ns);
    CREATE TABLE impacts (
        trace_id TEXT NOT NULL,
        span_id TEXT NOT NULL,
        entity TEXT NOT NULL,
        run_id TEXT NOT NULL,
        probability REAL,
        acted_at_ns INTEGER NOT NULL,
        arrived_s INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (trace_id, span_id, entity)
    );
    CREATE INDEX impacts_by_run ON impacts (run_id);
    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY,
        claim_id TEXT NOT NULL,
        state TEXT NOT NULL,
        receiver TEXT NOT NULL,
        queued_at_ns INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_ns INTEGER,  -- NULL: delivered, or given up
        delivered_at_ns INTEGER,
        error TEXT,
        body TEXT NOT NULL,
        UNIQUE (claim_id, state, receiver)  -- one page per finding and state
    );
    CREATE INDEX deliveries_due ON deliveries (next_attempt_ns) WHERE next_attempt_ns IS NOT NULL;
    """,
    """
    CREATE TABLE suspects (
        alert_id TEXT PRIMARY KEY,  -- the newest ranking of each alert
        name TEXT NOT NULL,
        entity TEXT NOT NULL,
        began_at_ns INTEGER NOT NULL,
        arrived_s INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX suspects_by_time ON suspects (began_at_ns);
    CREATE TABLE votes (
        id INTEGER PRIMARY KEY,     -- grows with every verdict of a person
        claim_id TEXT NOT NULL,
        voted_at_ns INTEGER NOT NULL,
        told_at_ns INTEGER,         -- NULL: no collector has told anybody yet
        body TEXT NOT NULL
    );
    CREATE INDEX votes_untold ON votes (id) WHERE told_at_ns IS NULL;
    """,
    # With `upgrade.REWRITES`: the field's words in columns and bodies; incidents.
    """
    ALTER TABLE claims RENAME TO claims_of_2;
    DROP INDEX claims_open;
    DROP INDEX claims_by_run;
    DROP INDEX claims_by_time;
    CREATE TABLE claims (
        number INTEGER PRIMARY KEY AUTOINCREMENT,  -- short, given once, never used again
        id TEXT NOT NULL,
        run_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        level TEXT NOT NULL,
        opened_at_ns INTEGER NOT NULL,
        closed_at_ns INTEGER,
        closing TEXT,
        arrived_s INTEGER NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (id, opened_at_ns)  -- one row per life: a finding may come back
    );
    INSERT INTO claims (id, run_id, kind, level, opened_at_ns, closed_at_ns, closing, arrived_s,
        body)
    SELECT id, run_id, kind, level, opened_at_ns, closed_at_ns, closing, arrived_s, body
    FROM claims_of_2 ORDER BY opened_at_ns, id;
    DROP TABLE claims_of_2;
    CREATE UNIQUE INDEX claims_open ON claims (id) WHERE closed_at_ns IS NULL;
    CREATE INDEX claims_by_run ON claims (run_id);
    CREATE INDEX claims_by_time ON claims (opened_at_ns);
    DROP INDEX votes_untold;
    ALTER TABLE votes RENAME TO feedback;
    ALTER TABLE feedback RENAME COLUMN voted_at_ns TO given_at_ns;
    ALTER TABLE feedback RENAME COLUMN told_at_ns TO reported_at_ns;
    CREATE INDEX feedback_unreported ON feedback (id) WHERE reported_at_ns IS NULL;
    ALTER TABLE deliveries RENAME TO deliveries_of_2;
    DROP INDEX deliveries_due;
    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY,
        subject TEXT NOT NULL,    -- an incident's key, a finding's id, or an alert's ranking
        incident INTEGER,         -- its number, where the message is an incident's page
        state TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 0,  -- of updates only
        receiver TEXT NOT NULL,
        urgent INTEGER NOT NULL DEFAULT 0,
        queued_at_ns INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_ns INTEGER,  -- NULL: delivered, or given up
        delivered_at_ns INTEGER,
        error TEXT,
        receipt TEXT,             -- what the receiver answered, where an update needs it
        body TEXT NOT NULL,
        UNIQUE (subject, state, revision, receiver)
    );
    INSERT INTO deliveries (id, subject, state, receiver, queued_at_ns, attempts, next_attempt_ns,
        delivered_at_ns, error, body)
    SELECT id, claim_id, state, receiver, queued_at_ns, attempts, next_attempt_ns,
        delivered_at_ns, error, body
    FROM deliveries_of_2;
    DROP TABLE deliveries_of_2;
    CREATE INDEX deliveries_due ON deliveries (receiver, next_attempt_ns)
        WHERE next_attempt_ns IS NOT NULL;
    CREATE INDEX deliveries_by_incident ON deliveries (incident) WHERE incident IS NOT NULL;
    CREATE TABLE incidents (
        number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so that it can be typed
        key TEXT NOT NULL UNIQUE,
        severity TEXT NOT NULL,
        opened_at_ns INTEGER NOT NULL,
        closed_at_ns INTEGER,
        arrived_s INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX incidents_open ON incidents (number) WHERE closed_at_ns IS NULL;
    CREATE INDEX incidents_by_time ON incidents (opened_at_ns);
    CREATE TABLE incident_findings (
        claim_id TEXT NOT NULL,
        incident INTEGER NOT NULL,
        run_id TEXT NOT NULL,
        PRIMARY KEY (claim_id, incident)
    ) WITHOUT ROWID;
    CREATE INDEX incident_findings_by_incident ON incident_findings (incident);
    CREATE INDEX incident_findings_by_run ON incident_findings (run_id);
    CREATE TABLE responses (
        id INTEGER PRIMARY KEY,
        incident INTEGER NOT NULL,
        given_at_ns INTEGER NOT NULL,
        applied_at_ns INTEGER,      -- NULL: no collector has applied it yet
        body TEXT NOT NULL
    );
    CREATE INDEX responses_unapplied ON responses (id) WHERE applied_at_ns IS NULL;
    CREATE INDEX responses_by_incident ON responses (incident);
    CREATE TABLE mutes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        given_at_ns INTEGER NOT NULL,
        until_ns INTEGER,           -- NULL: until somebody ends it
        body TEXT NOT NULL
    );
    CREATE TABLE snapshots (
        name TEXT PRIMARY KEY,      -- the part of the collector that continues from it
        saved_at_ns INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    """,
    # Every agent of a run, and what an event was read as: for lists that filter and count.
    """
    CREATE TABLE run_agents (
        run INTEGER NOT NULL,
        agent TEXT NOT NULL,
        PRIMARY KEY (run, agent)
    ) WITHOUT ROWID;
    CREATE INDEX run_agents_by_agent ON run_agents (agent);
    INSERT INTO run_agents SELECT id, agent FROM runs WHERE agent IS NOT NULL;
    ALTER TABLE events ADD COLUMN kind TEXT;  -- NULL: no agent's step, or stored before this
    ALTER TABLE events ADD COLUMN step TEXT;  -- span id of the step, which a log record has as well
    """,
    # Orders of people to agents, and requests for approval of one call each.
    """
    CREATE TABLE orders (
        number INTEGER PRIMARY KEY AUTOINCREMENT,  -- a later one wins
        given_at_ns INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE TABLE tickets (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        digest TEXT NOT NULL,       -- of the one action that it covers
        state TEXT NOT NULL,
        asked_at_ns INTEGER NOT NULL,
        expires_at_ns INTEGER NOT NULL,
        changed_at_ns INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX tickets_by_digest ON tickets (digest, expires_at_ns);
    CREATE INDEX tickets_by_change ON tickets (changed_at_ns);
    """,
    # Who sent what: equal ids of two senders are two spans.
    """
    CREATE TABLE senders (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    );
    INSERT INTO senders VALUES (0, '');
    ALTER TABLE runs ADD COLUMN sender INTEGER NOT NULL DEFAULT 0;  -- who opened it, 0 is unknown
    ALTER TABLE spans ADD COLUMN sender INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE events ADD COLUMN sender INTEGER NOT NULL DEFAULT 0;
    DROP INDEX spans_by_identity;
    CREATE UNIQUE INDEX spans_by_identity ON spans (trace_id, span_id, sender);
    """,
    # What persons approve in advance, for a limited time.
    """
    CREATE TABLE bypasses (number INTEGER PRIMARY KEY AUTOINCREMENT, until_ns INTEGER NOT NULL,
        body TEXT NOT NULL);
    """,
    # Steps of rollouts that were let pass.
    """
    CREATE TABLE canaries (number INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL,
        begun_at_ns INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE INDEX canaries_by_tool ON canaries (tool, begun_at_ns);
    CREATE INDEX canaries_by_time ON canaries (begun_at_ns);
    """,
    # A coding agent tells of one step in a span and in log records.
    """
    ALTER TABLE spans ADD COLUMN step TEXT;  -- span id of the step, where it is not the span's own
    CREATE INDEX spans_by_step ON spans (run, step) WHERE step IS NOT NULL;
    """,
)

# Of one sender's records of one span the later end wins, as in memory.
SPAN_IN = """
    INSERT INTO spans (trace_id, span_id, run, kind, failed, began_at_ns, ended_at_ns, arrived_s,
        resource, scope, body, sender, step)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (trace_id, span_id, sender) DO UPDATE SET run = excluded.run,
        kind = excluded.kind, step = excluded.step, failed = excluded.failed,
        began_at_ns = excluded.began_at_ns, ended_at_ns = excluded.ended_at_ns,
        resource = excluded.resource, scope = excluded.scope, body = excluded.body
    WHERE excluded.ended_at_ns > coalesce(spans.ended_at_ns, 0)
"""
EVENT_IN = """
    INSERT INTO events (digest, run, name, trace_id, span_id, time_ns, arrived_s, resource, scope,
        body, kind, step, sender)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
RUN_IN = """
    INSERT INTO runs (run_id, agent, service, began_at_ns, last_ns, arrived_s, acts, sender)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_id) DO UPDATE SET
        sender = CASE WHEN sender THEN sender ELSE excluded.sender END,
        agent = CASE WHEN ? THEN excluded.agent ELSE coalesce(agent, excluded.agent) END,
        service = coalesce(service, excluded.service),
        began_at_ns = min(began_at_ns, excluded.began_at_ns),
        last_ns = max(last_ns, excluded.last_ns),
        acts = max(acts, excluded.acts),
        arrived_s = max(arrived_s, excluded.arrived_s)
    RETURNING id
"""
# What services sent of a trace before its agent did stays theirs, beside the agent's run.
RUN_APART = """
    UPDATE OR IGNORE runs SET run_id = ? WHERE run_id = ? AND NOT acts AND sender NOT IN (0, ?)
"""
SENDER_IN = """
    INSERT INTO senders (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = excluded.name
    RETURNING id
"""
RUN_AGENT_IN = "INSERT INTO run_agents (run, agent) VALUES (?, ?) ON CONFLICT DO NOTHING"
CHANGE_IN = """
    INSERT INTO changes (id, kind, entity, began_at_ns, ended_at_ns, arrived_s, body)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET ended_at_ns = coalesce(excluded.ended_at_ns, ended_at_ns),
        body = excluded.body
    WHERE (excluded.ended_at_ns IS NOT NULL OR changes.ended_at_ns IS NULL)
        AND coalesce(json_extract(excluded.body, '$.vouched'), 1)
            >= coalesce(json_extract(changes.body, '$.vouched'), 1)
"""
CLAIM_UPDATE = """
    UPDATE claims SET level = :level, opened_at_ns = :opened_at_ns, closed_at_ns = :closed_at_ns,
        closing = :closing, arrived_s = :arrived_s, body = :body
    WHERE id = :id AND closed_at_ns IS NULL
"""
CLAIM_IN = """
    INSERT INTO claims (id, run_id, kind, level, opened_at_ns, closed_at_ns, closing,
        arrived_s, body)
    VALUES (:id, :run_id, :kind, :level, :opened_at_ns, :closed_at_ns, :closing, :arrived_s, :body)
    ON CONFLICT (id, opened_at_ns) DO UPDATE SET level = excluded.level,
        closed_at_ns = excluded.closed_at_ns, closing = excluded.closing,
        arrived_s = excluded.arrived_s, body = excluded.body
"""
IMPACT_IN = """
    INSERT OR REPLACE INTO impacts (trace_id, span_id, entity, run_id, probability, acted_at_ns,
        arrived_s, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
SUSPECTS_IN = """
    INSERT OR REPLACE INTO suspects (alert_id, name, entity, began_at_ns, arrived_s, body)
    VALUES (?, ?, ?, ?, ?, ?)
"""
FEEDBACK_INSERT = "INSERT INTO feedback (claim_id, given_at_ns, body) VALUES (?, ?, ?)"
FEEDBACK_REPORTED = "UPDATE feedback SET reported_at_ns = ? WHERE id = ?"
RESPONSE_INSERT = "INSERT INTO responses (incident, given_at_ns, body) VALUES (?, ?, ?)"
RESPONSE_APPLIED = "UPDATE responses SET applied_at_ns = ? WHERE id = ?"
DELIVERY_IN = """
    INSERT INTO deliveries (subject, incident, state, revision, receiver, urgent, body,
        queued_at_ns, next_attempt_ns)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
# An unsent opening is brought up to date in place: its receiver gets one page, not two.
DELIVERY_REFRESH = """
    UPDATE deliveries SET body = json_set(?, '$.state', 'opened'), urgent = max(urgent, ?),
        next_attempt_ns = CASE WHEN attempts THEN next_attempt_ns ELSE min(next_attempt_ns, ?) END
    WHERE subject = ? AND receiver = ? AND state = 'opened' AND next_attempt_ns IS NOT NULL
"""
INCIDENT_IN = """
    INSERT INTO incidents (number, key, severity, opened_at_ns, closed_at_ns, arrived_s, body)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (number) DO UPDATE SET severity = excluded.severity,
        closed_at_ns = excluded.closed_at_ns, arrived_s = excluded.arrived_s, body = excluded.body
"""
INCIDENT_FINDING_IN = """
    INSERT INTO incident_findings (claim_id, incident, run_id) VALUES (?, ?, ?)
    ON CONFLICT DO NOTHING
"""
SNAPSHOT_IN = "INSERT OR REPLACE INTO snapshots (name, saved_at_ns, body) VALUES (?, ?, ?)"
