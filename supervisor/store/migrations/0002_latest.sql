-- The latest readings of every device in one row, replaced once a minute (layout: latest.rs), and the answers
-- given to requests that carried an Idempotency-Key.

CREATE TABLE latest (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  body BLOB    NOT NULL
) STRICT;

CREATE TABLE answer (
  key    TEXT    PRIMARY KEY,
  at     INTEGER NOT NULL,
  status INTEGER NOT NULL,
  body   TEXT    NOT NULL
) STRICT;

CREATE INDEX answer_at ON answer (at);
