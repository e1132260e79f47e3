-- The number is known when a run ends. What else the run found is kept later, and somebody may ask in between.
ALTER TABLE "reconciliation_run" ADD COLUMN "lines_outside" INTEGER;
