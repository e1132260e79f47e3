-- Where the money goes, as a consent agreed to it. A nullable column, so no row is rewritten, and the migration is safe on
-- a live database.

ALTER TABLE "rule_consent" ADD COLUMN "target" TEXT;
