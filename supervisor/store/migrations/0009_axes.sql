-- The second and the third axis of a fault's life: who is to see to it, who is on site, who put it aside and why, and
-- the failure of another device that it follows from.
-- Times are milliseconds since the Unix epoch (UTC).

ALTER TABLE fault ADD COLUMN assigned_to TEXT;
ALTER TABLE fault ADD COLUMN assigned_by TEXT;
ALTER TABLE fault ADD COLUMN assigned_at INTEGER;
ALTER TABLE fault ADD COLUMN arrived_by TEXT;
ALTER TABLE fault ADD COLUMN arrived_at INTEGER;
ALTER TABLE fault ADD COLUMN shelved_by TEXT;
ALTER TABLE fault ADD COLUMN shelved_at INTEGER;
ALTER TABLE fault ADD COLUMN shelved_until INTEGER;
ALTER TABLE fault ADD COLUMN shelf_reason TEXT;
ALTER TABLE fault ADD COLUMN service TEXT; -- the clock of its service level, as JSON
ALTER TABLE fault ADD COLUMN hidden_by INTEGER REFERENCES fault(id);

ALTER TABLE transition ADD COLUMN assigned_to TEXT;
ALTER TABLE transition ADD COLUMN assigned_by TEXT;
ALTER TABLE transition ADD COLUMN assigned_at INTEGER;
ALTER TABLE transition ADD COLUMN arrived_by TEXT;
ALTER TABLE transition ADD COLUMN arrived_at INTEGER;
ALTER TABLE transition ADD COLUMN shelved_by TEXT;
ALTER TABLE transition ADD COLUMN shelved_at INTEGER;
ALTER TABLE transition ADD COLUMN shelved_until INTEGER;
ALTER TABLE transition ADD COLUMN shelf_reason TEXT;
ALTER TABLE transition ADD COLUMN service TEXT;
ALTER TABLE transition ADD COLUMN hidden_by INTEGER REFERENCES fault(id);

-- Whom a fault hid, however long ago.
CREATE INDEX hidden_root ON hidden (root);
-- What happened around a moment.
CREATE INDEX fault_confirmed ON fault (confirmed);
