-- The faults of one device, newest first: with the row number behind every entry the index is in the order of ids.
CREATE INDEX fault_device ON fault (device);
-- The open ones among all that ever were.
CREATE INDEX fault_open_newest ON fault (id) WHERE ending IS NULL;
