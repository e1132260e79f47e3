-- A key is refused at the address that misuses it, and nowhere else. Until now it was refused everywhere, so anybody
-- who knew its id could lock its owner out.

CREATE TABLE "key_lock" (
    "key_id" TEXT NOT NULL,
    "origin" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "key_lock_pkey" PRIMARY KEY ("key_id","origin")
);

CREATE INDEX "key_lock_until_idx" ON "key_lock"("until");

ALTER TABLE "key_lock" ADD CONSTRAINT "key_lock_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "api_key"("id")
  ON DELETE RESTRICT ON UPDATE CASCADE;

-- A nullable column without a default: no row is written, whatever the size of the table.
ALTER TABLE "security_event" ADD COLUMN "origin" TEXT;

CREATE OR REPLACE VIEW "report"."security_events" AS
  SELECT id AS event_id, rule, client_id, key_id, count, detail, at, origin FROM security_event;

-- The rules lock no key as a whole any more, so what they locked before is free. An operator may still lock one by hand.
UPDATE "api_key" SET locked_until = NULL, lock_reason = NULL WHERE locked_until IS NOT NULL;
