-- The people who work at the console, their sessions, and the attempts to sign in of the last minutes. New tables only,
-- so the migration is safe on a live database.

CREATE TABLE "operator" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "totp_sealed" BYTEA,
    "totp_step" BIGINT NOT NULL DEFAULT 0,
    "recovery_hashes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "disabled_at" TIMESTAMPTZ(3),

    CONSTRAINT "operator_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "operator_role" CHECK (role IN ('viewer', 'operator', 'approver', 'admin')),
    CONSTRAINT "operator_second_factor" CHECK (role = 'viewer' OR totp_sealed IS NOT NULL)
);

CREATE UNIQUE INDEX "operator_name_key" ON "operator"("name");

-- A code serves once: its step never goes back.
CREATE FUNCTION "refuse_used_code"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a code of operator % was used already', OLD.name
    USING ERRCODE = 'check_violation', CONSTRAINT = 'operator_code_serves_once';
END $$;

CREATE TRIGGER "operator_code_serves_once" BEFORE UPDATE ON "operator"
  FOR EACH ROW WHEN (NEW.totp_step < OLD.totp_step AND NEW.totp_sealed IS NOT DISTINCT FROM OLD.totp_sealed)
  EXECUTE FUNCTION "refuse_used_code"();

CREATE TABLE "operator_session" (
    "secret_hash" TEXT NOT NULL,
    "operator_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "operator_session_pkey" PRIMARY KEY ("secret_hash"),
    CONSTRAINT "operator_session_operator_id_fkey" FOREIGN KEY ("operator_id") REFERENCES "operator"("id")
      ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "operator_session_operator_id_idx" ON "operator_session"("operator_id");
CREATE INDEX "operator_session_ends_at_idx" ON "operator_session"("ends_at");

CREATE TABLE "login_attempt" (
    "subject" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "count" INTEGER NOT NULL,

    CONSTRAINT "login_attempt_pkey" PRIMARY KEY ("subject")
);

CREATE INDEX "login_attempt_since_idx" ON "login_attempt"("since");

-- Who made a key, and other actions about one thing.
CREATE INDEX "operator_action_subject_idx" ON "operator_action"("subject");
