-- Up Migration
-- Only adds: instances of the version before write and read on beside this one.

-- When something on the board, or its title, last changed.
ALTER TABLE boardsync.boards ADD COLUMN changed_at timestamptz;
UPDATE boardsync.boards SET changed_at = greatest(
  boards.created_at,
  (SELECT max(created_at) FROM boardsync.canvas_snapshots WHERE board_id = id),
  (SELECT max(created_at) FROM boardsync.board_updates WHERE board_id = id));
ALTER TABLE boardsync.boards ALTER COLUMN changed_at SET DEFAULT now();
ALTER TABLE boardsync.boards ALTER COLUMN changed_at SET NOT NULL;

-- Items on the board at its last snapshot; null: there was none since this column is there.
ALTER TABLE boardsync.boards ADD COLUMN item_count integer;

CREATE INDEX boards_deleted ON boardsync.boards (deleted_at) WHERE deleted_at IS NOT NULL;

-- What a write with an Idempotency-Key was answered, kept for a day. `scope` is the board, or '' where there is none.
CREATE TABLE boardsync.kept_answers (
  scope           text NOT NULL,
  subject         text NOT NULL,
  idempotency_key text NOT NULL,
  request_hash    text NOT NULL,
  -- JSON as text. Null only within the transaction that is about to write it.
  answer          text,
  created_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope, subject, idempotency_key)
);
CREATE INDEX kept_answers_age ON boardsync.kept_answers (created_at);
