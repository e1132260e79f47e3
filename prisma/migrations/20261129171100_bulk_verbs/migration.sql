-- One verb on many recharges or cases: who wants it and why, and the items as they were found when it was made. New tables
-- only, so the migration is safe on a live database.
CREATE TABLE "bulk_verb" (
    "id" UUID NOT NULL,
    "verb" TEXT NOT NULL,
    "filter" TEXT NOT NULL,
    "is_cut" BOOLEAN NOT NULL,
    "reason" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'draft',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3),

    CONSTRAINT "bulk_verb_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "bulk_item" (
    "bulk_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "subject" UUID NOT NULL,
    "amount_minor" BIGINT,
    "currency" TEXT,
    "outcome" TEXT,
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "bulk_item_pkey" PRIMARY KEY ("bulk_id", "position")
);

CREATE UNIQUE INDEX "bulk_item_bulk_id_subject_key" ON "bulk_item"("bulk_id", "subject");
CREATE INDEX "bulk_verb_due" ON "bulk_verb"("due_at") WHERE due_at IS NOT NULL;

ALTER TABLE "bulk_verb" ADD CONSTRAINT "bulk_verb_status"
  CHECK (status IN ('draft', 'running', 'stopped', 'finished'));
-- Only verbs that move no money are done in bulk.
ALTER TABLE "bulk_verb" ADD CONSTRAINT "bulk_verb_verb" CHECK (verb IN ('recheck', 'dismiss'));
ALTER TABLE "bulk_verb" ADD CONSTRAINT "bulk_verb_never_forgotten"
  CHECK ((status = 'running') = (due_at IS NOT NULL));
ALTER TABLE "bulk_item" ADD CONSTRAINT "bulk_item_bulk_id_fkey"
  FOREIGN KEY ("bulk_id") REFERENCES "bulk_verb"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
