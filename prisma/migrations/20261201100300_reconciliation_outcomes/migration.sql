-- What a run found, kept with it at its end: to compare the lines of a day again cost a request as much as the run.
--
-- On a live database: the column is empty, so this takes a moment. What a run of an older release found is compared again
-- when somebody asks for it.
ALTER TABLE "reconciliation_run" ADD COLUMN "found" JSONB;
