-- The version of the terms that a proposal was judged against. If the rule has another one when the proposal is approved, a
-- release that knows no proposals has changed it meanwhile, and the proposal is void. NULL: an older release made the
-- proposal, which is adopted as before.
--
-- On a live database: a nullable column without a default rewrites no row.

ALTER TABLE "rule_proposal" ADD COLUMN "based_on" INTEGER;
