-- Up Migration
-- Only adds: instances of the version before write and read on beside this one.

-- Pictures of a board by the SHA-256 of their bytes: written once, never changed, gone with the board.
CREATE TABLE boardsync.assets (
  board_id   text NOT NULL REFERENCES boardsync.boards (id) ON DELETE CASCADE,
  sha256     bytea NOT NULL,
  media_type text NOT NULL,
  size       integer NOT NULL,
  data       bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (board_id, sha256)
);
-- Pictures are compressed already; and only so a slice is read without reading the whole.
ALTER TABLE boardsync.assets ALTER COLUMN data SET STORAGE EXTERNAL;
