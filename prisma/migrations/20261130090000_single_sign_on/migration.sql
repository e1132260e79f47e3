-- A person who signs in through an OpenID provider has no password here. The subject names the person there.

ALTER TABLE "operator"
  ALTER COLUMN "password_hash" DROP NOT NULL,
  ADD COLUMN "sign_on_subject" TEXT;

CREATE UNIQUE INDEX "operator_sign_on_subject_key" ON "operator"("sign_on_subject");

ALTER TABLE "operator" ADD CONSTRAINT "operator_signs_in"
  CHECK (password_hash IS NOT NULL OR sign_on_subject IS NOT NULL);
