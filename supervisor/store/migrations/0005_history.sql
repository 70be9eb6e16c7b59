-- History: who was measured, the last hours as they were polled, and older times compressed (layouts: src/history/).
-- Times are milliseconds since the Unix epoch (UTC) unless the column says otherwise.

CREATE TABLE metric (
  id   INTEGER PRIMARY KEY,
  name TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE series (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused
  device   INTEGER NOT NULL REFERENCES device(row),
  metric   INTEGER NOT NULL REFERENCES metric(id),
  instance TEXT    NOT NULL,
  kind     INTEGER NOT NULL,                    -- another kind of value is another series
  previous INTEGER REFERENCES series(id)        -- what it was called before, where that is known
) STRICT;
CREATE UNIQUE INDEX series_key ON series (device, metric, instance, kind);

-- A stretch of time with one steady clock: ends with the boot, with a step back, with the clock becoming
-- synchronised.
CREATE TABLE stretch (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  boot         TEXT    NOT NULL,
  synchronised INTEGER NOT NULL,
  shift        INTEGER                          -- wall time minus CLOCK_BOOTTIME, once an unsynchronised one is placed
) STRICT;

-- What was polled in the last hours: one row per cycle and part of the site.
CREATE TABLE hot (
  id      INTEGER PRIMARY KEY,                  -- cycle << 16 | part
  stretch INTEGER NOT NULL REFERENCES stretch(id),
  mono    INTEGER NOT NULL,                     -- CLOCK_BOOTTIME of the cycle
  wall    INTEGER NOT NULL,                     -- means nothing in an unsynchronised stretch
  body    BLOB    NOT NULL
) STRICT;

-- Chunks that were made together, cover the same time and go together.
CREATE TABLE segment (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  tier    INTEGER NOT NULL,                     -- 0 every sample, 1 by 5 minutes, 2 by the hour
  origin  INTEGER NOT NULL,                     -- the same in all tiers of one time
  state   INTEGER NOT NULL,                     -- 0 being made, 1 valid, 2 to be deleted
  merged  INTEGER NOT NULL,                     -- 1 where it covers a day
  stretch INTEGER REFERENCES stretch(id),       -- where its time is not known: t0, t1 and its chunks are CLOCK_BOOTTIME
  shift   INTEGER NOT NULL,                     -- to be added to t0, t1 and the times in its chunks
  t0      INTEGER NOT NULL,                     -- the first poll
  t1      INTEGER NOT NULL,                     -- the last poll
  made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX segment_origin ON segment (origin);

CREATE TABLE chunk (
  id   INTEGER PRIMARY KEY,                     -- segment << 32 | series: what is made together lies together
  body BLOB    NOT NULL
) STRICT;

-- The last cycle that segments hold: rows of `hot` up to it no longer count, and those up to `before` are deleted.
CREATE TABLE covered (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  cycle  INTEGER NOT NULL,
  before INTEGER NOT NULL
) STRICT;
INSERT INTO covered VALUES (1, 0, 0);

-- The last poll of a device in whole, written now and then: with the cycles after it, its latest readings.
CREATE TABLE snapshot (
  device INTEGER PRIMARY KEY REFERENCES device(row),
  cycle  INTEGER NOT NULL,
  body   BLOB    NOT NULL                       -- a block of one device, of latest.rs
) STRICT;

-- The cycles and snapshots tell the latest readings now; what stood here was a minute of them.
DROP TABLE latest;
