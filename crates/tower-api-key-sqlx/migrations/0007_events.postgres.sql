-- Events of keys, written in the transaction that causes them. Data is JSON.
CREATE TABLE {events} (
    sequence BIGSERIAL PRIMARY KEY,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX "{prefix}events_by_age" ON {events} (at);

-- Occasions that have their event. An empty key stands for all keys of the account.
CREATE TABLE {event_occasions} (
    account TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    ends BIGINT NOT NULL,
    PRIMARY KEY (key_id, kind, name, account)
);

-- Where each sink stands among the events.
CREATE TABLE {event_sinks} (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);

-- Events that a sink has not received. A dead letter is not tried again by itself.
CREATE TABLE {event_deliveries} (
    sink TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    tries BIGINT NOT NULL,
    due BIGINT NOT NULL,
    dead BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (sink, sequence)
);
CREATE INDEX "{prefix}event_deliveries_by_key" ON {event_deliveries} (sink, dead, key_id, sequence);

-- Which process does what only one at a time should do, and until when.
CREATE TABLE {event_leases} (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    ends BIGINT NOT NULL
);
