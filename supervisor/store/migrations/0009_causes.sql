-- Whom a fault hid, however long ago.
CREATE INDEX hidden_root ON hidden (root);

-- The failure of another device that a fault is a consequence of: nobody is told of the fault while it stands here.
ALTER TABLE fault ADD COLUMN hidden_by INTEGER REFERENCES fault(id);
ALTER TABLE transition ADD COLUMN hidden_by INTEGER REFERENCES fault(id);
