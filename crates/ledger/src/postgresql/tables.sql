-- The ledger's tables.
--
-- What is granted of a counter is one row, with an array for each column of its grants: so a question reads and writes one row,
-- and locks one. Recalls are hints: they need no log.

-- Not `IF NOT EXISTS`, which asks for the right to make one even if there is nothing to do.
DO $$ BEGIN
    IF to_regnamespace('fairgate') IS NULL THEN
        CREATE SCHEMA fairgate;
    END IF;
END $$;

CREATE TABLE IF NOT EXISTS fairgate.ledger (
    is_it boolean PRIMARY KEY CHECK (is_it),
    epoch bigint NOT NULL,
    lost_at bigint NOT NULL,
    server text NOT NULL
);

CREATE TABLE IF NOT EXISTS fairgate.ledger_members (
    node bigint PRIMARY KEY,
    last bigint NOT NULL,
    said_since bigint NOT NULL,
    said_epoch bigint NOT NULL,
    is_removed boolean NOT NULL
);

CREATE TABLE IF NOT EXISTS fairgate.ledger_counters (
    counter bytea PRIMARY KEY,
    forgotten bigint NOT NULL DEFAULT 0,
    level bigint NOT NULL DEFAULT 0,
    at bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    slices bigint[] NOT NULL DEFAULT '{}',
    nodes bigint[] NOT NULL DEFAULT '{}',
    sequences bigint[] NOT NULL DEFAULT '{}',
    granted bigint[] NOT NULL DEFAULT '{}',
    used bigint[] NOT NULL DEFAULT '{}',
    refunded bigint[] NOT NULL DEFAULT '{}',
    expires bigint[] NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);

CREATE INDEX IF NOT EXISTS ledger_counters_forgotten ON fairgate.ledger_counters (forgotten);

CREATE UNLOGGED TABLE IF NOT EXISTS fairgate.ledger_recalls (
    node bigint NOT NULL,
    counter bytea NOT NULL,
    slice bigint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (node, counter, slice)
);
