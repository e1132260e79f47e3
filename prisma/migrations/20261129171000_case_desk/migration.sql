-- Who works on a case, and until when. A row is made by the first change. Comments are rows of operator_action, which is
-- append-only. A new table, so the migration is safe on a live database.
CREATE TABLE "case_desk" (
    "case_id" UUID NOT NULL,
    "assignee" TEXT,
    "due_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "comment_form" UUID,

    CONSTRAINT "case_desk_pkey" PRIMARY KEY ("case_id")
);

ALTER TABLE "case_desk" ADD CONSTRAINT "case_desk_case_id_fkey"
  FOREIGN KEY ("case_id") REFERENCES "reconciliation_case"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
