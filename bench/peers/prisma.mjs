import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { createPostgresBackend, Queue, runMigrations, withBackend } from 'bullmq';
import express from 'express';
import pg from 'pg';

// The intake that most teams would write: it looks up the idempotency key, creates both rows in an interactive
// transaction and adds a job. It uses the tables and the generated Prisma client of the product, so the rows are the
// same. It does not authenticate and computes no fingerprint.

const generated = new URL('generated/client.js', import.meta.resolve('@replenish/domain'));
const { PrismaClient } = await import(generated.href);
const { DATABASE_URL, REDIS_URL, PORT } = process.env;

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: DATABASE_URL, max: 16 }) });
const queue = REDIS_URL ? redisQueue() : await postgresQueue();
await queue.waitUntilReady();

function redisQueue() {
  return new Queue('submission', { connection: { url: REDIS_URL } });
}

/** BullMQ on Postgres as the product sets it up: its own schema, and asynchronous commits for jobs. */
async function postgresQueue() {
  const bullmq = withBackend(createPostgresBackend);
  const connection = new pg.Pool({
    connectionString: DATABASE_URL,
    max: 4,
    options: '-c search_path=bullmq -c synchronous_commit=off',
  });
  const client = await connection.connect();
  await runMigrations(client);
  client.release();
  return new bullmq.Queue('submission', { connection });
}

const clientId = randomUUID();

async function create({ accountId, amount, currency, paymentMethod }, idempotencyKey) {
  const existing = await prisma.rechargeRequest.findUnique({
    where: { clientId_idempotencyKey: { clientId, idempotencyKey } },
  });
  if (existing) return prisma.rechargeTransaction.findUnique({ where: { id: existing.transactionId } });
  const id = randomUUID();
  const work = async (tx) => {
    await tx.rechargeRequest.create({
      data: {
        transactionId: id,
        clientId,
        idempotencyKey,
        fingerprint: '',
        metadata: {},
        correlationId: randomUUID(),
      },
    });
    return tx.rechargeTransaction.create({
      data: {
        ...{
          id,
          clientId,
          accountId,
          kind: 'collect',
          state: 'CREATED',
          amountMinor: amount,
          currency,
          paymentMethod,
        },
        ...{ provider: 'sandbox', nextStep: 'submit', dueAt: new Date(Date.now() + 2_000) },
      },
    });
  };
  // The default wait for a connection is 2 s. With 64 callers a busy machine can exceed it.
  const created = await prisma.$transaction(work, { maxWait: 20_000, timeout: 20_000 });
  await queue.add('submit', { id });
  return created;
}

const app = express();
app.use(express.json());
app.post('/v1/recharges', async (request, response) => {
  const { id, state, accountId, amountMinor, currency } = await create(
    request.body,
    request.headers['idempotency-key'],
  );
  response.status(201).json({ id, state, accountId, amount: Number(amountMinor), currency });
});
app.listen(Number(PORT), '127.0.0.1', () => process.send({ ready: 'prisma' }));

const end = () => process.exit();
process.once('SIGTERM', end);
process.once('disconnect', end);
