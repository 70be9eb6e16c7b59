-- Maintenance records. What is written stays: corrections stand beside it, and the triggers refuse everything else.

CREATE TABLE maintenance (
  id       INTEGER PRIMARY KEY,
  year     INTEGER NOT NULL,
  sequence INTEGER NOT NULL,                    -- 1, 2, 3, … without gaps in a year
  at       INTEGER NOT NULL,
  by       TEXT    NOT NULL,
  key      TEXT    UNIQUE,                      -- Idempotency-Key: kept with the record, so that none is written twice
  UNIQUE (year, sequence)
) STRICT;

-- The original, field by field; an empty field has no row.
CREATE TABLE maintenance_field (
  record INTEGER NOT NULL REFERENCES maintenance(id),
  field  TEXT    NOT NULL,
  value  TEXT    NOT NULL,
  PRIMARY KEY (record, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE maintenance_amendment (
  id     INTEGER PRIMARY KEY,
  record INTEGER NOT NULL REFERENCES maintenance(id),
  at     INTEGER NOT NULL,
  by     TEXT    NOT NULL,
  author TEXT    NOT NULL,
  field  TEXT    NOT NULL,
  value  TEXT    NOT NULL,
  reason TEXT    NOT NULL,
  key    TEXT    UNIQUE
) STRICT;
CREATE INDEX maintenance_amendment_record ON maintenance_amendment (record, id);

-- What a record is found by as it stands now; worked out anew with every amendment, and from nothing but the above.
CREATE TABLE maintenance_now (
  record   INTEGER PRIMARY KEY REFERENCES maintenance(id),
  kind     TEXT    NOT NULL,
  happened INTEGER NOT NULL,
  text     TEXT    NOT NULL                     -- in lower case
) STRICT;
CREATE TABLE maintenance_device (
  device INTEGER NOT NULL REFERENCES device(row),
  record INTEGER NOT NULL REFERENCES maintenance(id),
  PRIMARY KEY (device, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX maintenance_device_record ON maintenance_device (record);
CREATE TABLE maintenance_fault (
  fault  INTEGER NOT NULL REFERENCES fault(id),
  record INTEGER NOT NULL REFERENCES maintenance(id),
  PRIMARY KEY (fault, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX maintenance_fault_record ON maintenance_fault (record);

CREATE TRIGGER maintenance_update BEFORE UPDATE ON maintenance
  BEGIN SELECT RAISE(ABORT, 'maintenance records are append-only'); END;
CREATE TRIGGER maintenance_delete BEFORE DELETE ON maintenance
  BEGIN SELECT RAISE(ABORT, 'maintenance records are append-only'); END;
CREATE TRIGGER maintenance_gap BEFORE INSERT ON maintenance
  WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM maintenance WHERE year = NEW.year)
    OR NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM maintenance)
    OR EXISTS (SELECT 1 FROM maintenance WHERE key = NEW.key)
  BEGIN SELECT RAISE(ABORT, 'maintenance records have numbers without gaps'); END;

CREATE TRIGGER maintenance_field_update BEFORE UPDATE ON maintenance_field
  BEGIN SELECT RAISE(ABORT, 'maintenance records are append-only'); END;
CREATE TRIGGER maintenance_field_delete BEFORE DELETE ON maintenance_field
  BEGIN SELECT RAISE(ABORT, 'maintenance records are append-only'); END;
-- REPLACE deletes without asking a trigger, and a field added later would change an original.
CREATE TRIGGER maintenance_field_late BEFORE INSERT ON maintenance_field
  WHEN NEW.record <> (SELECT max(id) FROM maintenance)
    OR EXISTS (SELECT 1 FROM maintenance_now WHERE record = NEW.record)
  BEGIN SELECT RAISE(ABORT, 'maintenance records are append-only'); END;

CREATE TRIGGER maintenance_amendment_update BEFORE UPDATE ON maintenance_amendment
  BEGIN SELECT RAISE(ABORT, 'maintenance records are append-only'); END;
CREATE TRIGGER maintenance_amendment_delete BEFORE DELETE ON maintenance_amendment
  BEGIN SELECT RAISE(ABORT, 'maintenance records are append-only'); END;
CREATE TRIGGER maintenance_amendment_gap BEFORE INSERT ON maintenance_amendment
  WHEN NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM maintenance_amendment)
    OR EXISTS (SELECT 1 FROM maintenance_amendment WHERE key = NEW.key)
  BEGIN SELECT RAISE(ABORT, 'maintenance records are append-only'); END;
