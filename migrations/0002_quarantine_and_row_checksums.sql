-- Up Migration
-- Only adds: instances of the version before write and read on beside this one.

-- CRC-32 of data as a signed integer. Null where a version wrote that knew none: such a row is not checked.
ALTER TABLE boardsync.board_updates ADD COLUMN checksum integer;

-- Bytes that were found damaged, as they were found. Nothing reads them but people.
CREATE TABLE boardsync.quarantine (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  board_id   text NOT NULL REFERENCES boardsync.boards (id) ON DELETE CASCADE,
  kind       text NOT NULL CHECK (kind IN ('snapshot', 'row', 'history')),
  seq        bigint NOT NULL,
  data       bytea NOT NULL,
  reason     text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE boardsync.quarantine ALTER COLUMN data SET STORAGE EXTERNAL;
-- Whoever finds the same bytes again keeps them once; other bytes in the same place are kept too.
CREATE UNIQUE INDEX quarantine_once ON boardsync.quarantine (board_id, kind, seq, sha256(data));
