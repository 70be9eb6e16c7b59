-- Commands to devices: who gave which, and what came of it. Both stay as they are written. A command without an outcome
-- was under way when the service ended.

CREATE TABLE command (
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  by        TEXT    NOT NULL,
  device    INTEGER NOT NULL REFERENCES device(row),
  unit      TEXT    NOT NULL,                   -- of a grid, such as r1c2; else empty
  command   TEXT    NOT NULL,
  arguments TEXT    NOT NULL                    -- JSON object of texts
) STRICT;
CREATE INDEX command_device ON command (device, id);

CREATE TABLE command_outcome (
  command INTEGER PRIMARY KEY REFERENCES command(id),
  at      INTEGER NOT NULL,
  good    INTEGER NOT NULL,
  report  TEXT    NOT NULL                      -- JSON: sent, answered, verdict, verified
) STRICT;

CREATE TRIGGER command_update BEFORE UPDATE ON command
  BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
CREATE TRIGGER command_delete BEFORE DELETE ON command
  BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
CREATE TRIGGER command_outcome_update BEFORE UPDATE ON command_outcome
  BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
CREATE TRIGGER command_outcome_delete BEFORE DELETE ON command_outcome
  BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
-- REPLACE deletes without asking a trigger.
CREATE TRIGGER command_twice BEFORE INSERT ON command
  WHEN EXISTS (SELECT 1 FROM command WHERE id = NEW.id)
  BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
CREATE TRIGGER command_outcome_twice BEFORE INSERT ON command_outcome
  WHEN EXISTS (SELECT 1 FROM command_outcome WHERE command = NEW.command)
  BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
