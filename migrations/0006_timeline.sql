-- Up Migration
-- Only adds: instances of the version before write and read on beside this one.

-- How often a standby of this database has become the primary; part of what names each board's history. Of a standby itself
-- nothing is to be read: it may lag behind.
CREATE FUNCTION boardsync.timeline() RETURNS bigint STABLE LANGUAGE plpgsql AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'this server is a standby' USING ERRCODE = 'read_only_sql_transaction';
  END IF;
  -- The first eight digits of a WAL file's name. A cluster begins with timeline 1.
  RETURN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint - 1;
END
$$;

-- There are databases that only speak like Postgres, and have no such files.
DO $$
BEGIN
  PERFORM boardsync.timeline();
EXCEPTION WHEN OTHERS THEN
  CREATE OR REPLACE FUNCTION boardsync.timeline() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT 0::bigint';
END
$$;
