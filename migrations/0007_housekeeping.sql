-- Up Migration
-- Only adds: instances of the version before write and read on beside this one. They wait while an index is built: not for long, as
-- the log has none here and all else is small beside it (0.3 s for 200,000 item changes). Tables are locked in the order in which the
-- end of a board goes through them, so that neither waits for the other.

-- What is old is found from the oldest on, whichever board's it is.
CREATE INDEX board_history_age ON boardsync.board_history (created_at);

-- What goes with a board, or with a key, is found without reading what others have.
CREATE INDEX item_changes_of_board ON boardsync.item_changes (board_id);
CREATE INDEX api_keys_all_of_board ON boardsync.api_keys (board_id) WHERE board_id IS NOT NULL;
CREATE INDEX tickets_of_key ON boardsync.tickets (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX sessions_of_key ON boardsync.sessions (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX tickets_of_board ON boardsync.tickets (board_id);
