-- Refused logins of cameras and recorders: over a restart the count goes on, so that no device locks the account. The
-- fingerprint (a salt, and a digest of it with user and password) says which credentials they were.

CREATE TABLE login (
  device      INTEGER PRIMARY KEY REFERENCES device(row),
  fingerprint BLOB    NOT NULL,
  refusals    INTEGER NOT NULL,
  onvif       INTEGER NOT NULL,
  snapshot    INTEGER NOT NULL,
  rtsp        INTEGER NOT NULL,
  locked      INTEGER NOT NULL
) STRICT;
