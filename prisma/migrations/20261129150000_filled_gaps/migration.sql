-- A gap is filled when a statement has another line next to each of its two ends. The two ends may be seen in different
-- statements. Adding columns with a constant default does not rewrite the table, so this is safe on a live one.
ALTER TABLE "statement_gap" ADD COLUMN "after_followed" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "statement_gap" ADD COLUMN "before_preceded" BOOLEAN NOT NULL DEFAULT false;
