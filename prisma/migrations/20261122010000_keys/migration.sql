-- Secrets sealed at rest, limits of keys, and the nonces of signed requests.

-- AlterTable
ALTER TABLE "api_key" ADD COLUMN     "allow_bearer" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "ceilings" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "ip_allow" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "oauth_subject" TEXT,
ADD COLUMN     "previous_secret_sealed" BYTEA,
ADD COLUMN     "secret_sealed" BYTEA;

-- CreateTable
CREATE TABLE "nonce" (
    "key_id" TEXT NOT NULL,
    "nonce" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "nonce_pkey" PRIMARY KEY ("key_id","nonce")
);

-- CreateIndex
CREATE INDEX "nonce_seen_at_idx" ON "nonce"("seen_at");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_oauth_subject_key" ON "api_key"("oauth_subject");

-- Keys made before have only the hash of their secret: they cannot sign, so they go on as bearers.
UPDATE "api_key" SET "allow_bearer" = true;
