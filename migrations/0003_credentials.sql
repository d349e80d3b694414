-- Up Migration
-- Only adds. Secrets are never stored: what is looked up is their SHA-256, and they are too long to be guessed from it.

CREATE TABLE boardsync.api_keys (
  id           uuid PRIMARY KEY,
  key_hash     bytea NOT NULL UNIQUE,
  -- Null: every board. Keys of a board go when it is purged, so that they open no later board of the same id.
  board_id     text REFERENCES boardsync.boards (id) ON DELETE CASCADE,
  role         text NOT NULL CHECK (role IN ('read', 'write', 'admin')),
  created_by   text NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
CREATE INDEX api_keys_of_board ON boardsync.api_keys (board_id, id) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_revoked ON boardsync.api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

-- Tickets and sessions end with what they rest on: an API key, or a setting of the server (by its fingerprint).
CREATE TABLE boardsync.tickets (
  hash          bytea PRIMARY KEY,
  board_id      text NOT NULL REFERENCES boardsync.boards (id) ON DELETE CASCADE,
  role          text NOT NULL CHECK (role IN ('read', 'write', 'admin')),
  subject       text NOT NULL,
  authenticated boolean NOT NULL,
  name          text,
  -- The page that asked for it; null when a program did.
  origin        text,
  key_id        uuid REFERENCES boardsync.api_keys (id) ON DELETE CASCADE,
  issuer        text,
  -- When what it rests on expires, if ever.
  ends_at       timestamptz,
  expires_at    timestamptz NOT NULL,
  CHECK ((key_id IS NULL) <> (issuer IS NULL))
);
CREATE INDEX tickets_expired ON boardsync.tickets (expires_at);

CREATE TABLE boardsync.sessions (
  hash          bytea PRIMARY KEY,
  -- JSON as text: board ids or * to roles.
  rights        text NOT NULL,
  subject       text NOT NULL,
  authenticated boolean NOT NULL,
  name          text,
  key_id        uuid REFERENCES boardsync.api_keys (id) ON DELETE CASCADE,
  issuer        text,
  ends_at       timestamptz,
  -- Moves on with each use, never past ends_at.
  expires_at    timestamptz NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  ended_at      timestamptz,
  CHECK ((key_id IS NULL) <> (issuer IS NULL))
);
CREATE INDEX sessions_expired ON boardsync.sessions (expires_at);
CREATE INDEX sessions_ended ON boardsync.sessions (ended_at) WHERE ended_at IS NOT NULL;
