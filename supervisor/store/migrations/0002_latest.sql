-- The latest readings of every device in a few rows, replaced once a minute (layout: latest.rs), and the answers
-- given to requests that carried an Idempotency-Key.

CREATE TABLE latest (
  part INTEGER PRIMARY KEY,
  body BLOB    NOT NULL
) STRICT;

CREATE TABLE answer (
  key    TEXT    PRIMARY KEY,
  at     INTEGER NOT NULL,
  status INTEGER NOT NULL,
  body   TEXT    NOT NULL
) STRICT;

CREATE INDEX answer_at ON answer (at);
