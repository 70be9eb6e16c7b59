-- Devices, faults, their transitions, and the clock of each boot.
-- Times are milliseconds since the Unix epoch (UTC) unless the column says otherwise.

CREATE TABLE device (
  row        INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused, also after a removal
  id         TEXT    NOT NULL UNIQUE,
  name       TEXT    NOT NULL,
  class      TEXT    NOT NULL,
  profile    TEXT    NOT NULL,
  removed_at INTEGER                            -- NULL while the site file has it
) STRICT;

-- A fault as it stands: changed in the transaction of its transition.
CREATE TABLE fault (
  id              INTEGER PRIMARY KEY,
  year            INTEGER NOT NULL,
  sequence        INTEGER NOT NULL,
  device          INTEGER NOT NULL REFERENCES device(row),
  rule            TEXT    NOT NULL,
  instance        TEXT    NOT NULL,
  severity        TEXT    NOT NULL,
  condition       TEXT    NOT NULL,
  acknowledged_by TEXT,
  acknowledged_at INTEGER,
  stale           INTEGER NOT NULL,
  first_bad       INTEGER NOT NULL,
  confirmed       INTEGER NOT NULL,
  cleared         INTEGER,
  ending          TEXT,
  closed_by       TEXT,
  value_kind      TEXT,
  value           ANY,
  cause           TEXT    NOT NULL,
  summary_zh      TEXT    NOT NULL,
  summary_en      TEXT    NOT NULL,
  advice_zh       TEXT    NOT NULL,
  advice_en       TEXT    NOT NULL,
  previous        INTEGER,
  changed_at      INTEGER NOT NULL,             -- of its latest transition
  UNIQUE (year, sequence)
) STRICT;

-- At most one open fault of a key.
CREATE UNIQUE INDEX fault_open ON fault (device, rule, instance) WHERE ending IS NULL;
CREATE INDEX fault_ended ON fault (changed_at) WHERE ending IS NOT NULL;

-- What happened, and what the fault looked like after it. Identity, number, key, cause, advice and `previous`
-- do not change in a fault's life and stand in `fault` alone.
CREATE TABLE transition (
  id              INTEGER PRIMARY KEY,          -- 1, 2, 3, … without gaps
  fault           INTEGER NOT NULL REFERENCES fault(id),
  at              INTEGER NOT NULL,
  change          TEXT    NOT NULL,
  severity_from   TEXT,
  severity        TEXT    NOT NULL,
  condition       TEXT    NOT NULL,
  acknowledged_by TEXT,
  acknowledged_at INTEGER,
  stale           INTEGER NOT NULL,
  first_bad       INTEGER NOT NULL,
  confirmed       INTEGER NOT NULL,
  cleared         INTEGER,
  ending          TEXT,
  closed_by       TEXT,
  value_kind      TEXT,
  value           ANY,
  summary_zh      TEXT    NOT NULL,
  summary_en      TEXT    NOT NULL
) STRICT;

CREATE INDEX transition_fault ON transition (fault, id);

-- One row per boot: where its two clocks stood at the latest mark.
CREATE TABLE clock (
  ordinal      INTEGER PRIMARY KEY AUTOINCREMENT,
  boot         TEXT    NOT NULL UNIQUE,
  boottime_ms  INTEGER NOT NULL,                -- CLOCK_BOOTTIME
  wall         INTEGER NOT NULL,
  synchronised INTEGER NOT NULL
) STRICT;
