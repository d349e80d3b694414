-- Up Migration
-- The log is the truth: every row of board_updates was committed before anyone but its author saw it.

CREATE TABLE boardsync.boards (
  id           text PRIMARY KEY,
  title        text,
  -- Names this board's history. It changes when the store went back behind its clients, so that they push again.
  epoch        bigint NOT NULL DEFAULT floor(random() * 9007199254740991)::bigint,
  head_seq     bigint NOT NULL DEFAULT 0,
  snapshot_seq bigint NOT NULL DEFAULT 0,
  bytes        bigint NOT NULL DEFAULT 0,
  created_at   timestamptz NOT NULL DEFAULT now(),
  deleted_at   timestamptz
) WITH (fillfactor = 50);

-- One row per author and commit. seq is per board and contiguous, given under the board row's lock: commit order.
CREATE TABLE boardsync.board_updates (
  board_id   text NOT NULL REFERENCES boardsync.boards (id) ON DELETE CASCADE,
  seq        bigint NOT NULL,
  actor      text NOT NULL,
  data       bytea NOT NULL,
  batch_id   uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (board_id, seq)
);

-- Compressed state (Yjs V2) at a seq. Two are kept per board.
CREATE TABLE boardsync.canvas_snapshots (
  board_id   text NOT NULL REFERENCES boardsync.boards (id) ON DELETE CASCADE,
  seq        bigint NOT NULL,
  state      bytea NOT NULL,
  checksum   bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (board_id, seq)
);
ALTER TABLE boardsync.canvas_snapshots ALTER COLUMN state SET STORAGE EXTERNAL;

-- Log rows that a snapshot covers, packed: what history is read from, and the way past a corrupt snapshot.
CREATE TABLE boardsync.board_history (
  board_id   text NOT NULL REFERENCES boardsync.boards (id) ON DELETE CASCADE,
  from_seq   bigint NOT NULL,
  to_seq     bigint NOT NULL,
  data       bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (board_id, from_seq)
);
ALTER TABLE boardsync.board_history ALTER COLUMN data SET STORAGE EXTERNAL;

-- Item changes asked for over REST: id is their order, public_id their name outside. `change`, `result` are JSON as text
-- (jsonb refuses the NUL character that a label may hold).
CREATE TABLE boardsync.item_changes (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id       uuid NOT NULL UNIQUE,
  board_id        text NOT NULL REFERENCES boardsync.boards (id) ON DELETE CASCADE,
  change          text NOT NULL,
  actor           text NOT NULL,
  idempotency_key text,
  request_hash    text NOT NULL,
  status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'applied', 'rejected')),
  result          text,
  seq             bigint,
  created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX item_changes_pending ON boardsync.item_changes (board_id, id) WHERE status = 'pending';
CREATE UNIQUE INDEX item_changes_idempotency ON boardsync.item_changes (board_id, actor, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
