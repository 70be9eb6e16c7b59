-- What the figures of a week need: when the box watched, when each device was in the site, who stood behind whom.
-- Times are milliseconds since the Unix epoch (UTC) as the clock showed them then, unless the column says otherwise.

-- A run of the supervisor without a step of the wall clock. What was open when it ended goes on in the next.
CREATE TABLE watch (
  number       INTEGER PRIMARY KEY,              -- in the order they were lived
  boot         TEXT    NOT NULL,
  mono         INTEGER NOT NULL,                  -- CLOCK_BOOTTIME at its start
  wall         INTEGER NOT NULL,                  -- at its start
  length       INTEGER NOT NULL,                  -- by CLOCK_BOOTTIME, ms
  synchronised INTEGER NOT NULL,
  shift        INTEGER                            -- wall time minus CLOCK_BOOTTIME, once an unsynchronised one is placed
) STRICT;

-- NULL for what is older than the first watch: nobody knows how far those are apart.
ALTER TABLE transition ADD COLUMN watch INTEGER REFERENCES watch(number);
CREATE INDEX transition_watch ON transition (watch);

-- When a device was in the site, and where it belonged meanwhile; another place, name or profile begins a new row.
CREATE TABLE presence (
  id         INTEGER PRIMARY KEY,
  device     INTEGER NOT NULL REFERENCES device(row),
  name       TEXT    NOT NULL,
  class      TEXT    NOT NULL,
  profile    TEXT    NOT NULL,
  tier       TEXT    NOT NULL,
  network    TEXT    NOT NULL,
  location   TEXT    NOT NULL,
  from_watch INTEGER NOT NULL REFERENCES watch(number),
  from_wall  INTEGER NOT NULL,
  to_watch   INTEGER REFERENCES watch(number),   -- NULL while it goes on
  to_wall    INTEGER
) STRICT;
CREATE UNIQUE INDEX presence_open ON presence (device) WHERE to_watch IS NULL;

-- When a device stood behind a failed one, and behind which fault: as it was shown then, whatever the site file says
-- later.
CREATE TABLE hidden (
  id         INTEGER PRIMARY KEY,
  device     INTEGER NOT NULL REFERENCES device(row),
  root       INTEGER NOT NULL REFERENCES fault(id),
  from_watch INTEGER NOT NULL REFERENCES watch(number),
  from_wall  INTEGER NOT NULL,
  to_watch   INTEGER REFERENCES watch(number),   -- NULL while it goes on
  to_wall    INTEGER
) STRICT;
CREATE UNIQUE INDEX hidden_open ON hidden (device) WHERE to_watch IS NULL;

-- The watches tell where the clocks of a boot stood.
DROP TABLE clock;
