import { randomUUID } from 'node:crypto';
import express from 'express';
import pg from 'pg';

// The smallest possible intake: it stores one row durably and answers. It checks no API key and no input, fails on a
// repeated idempotency key, and adds no job.

const { DATABASE_URL, PORT } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 16 });
await pool.query(`create table recharge (
  id uuid primary key,
  account_id text not null,
  amount bigint not null,
  currency text not null,
  idempotency_key text not null unique,
  created_at timestamptz not null default now())`);

const app = express();
app.use(express.json());
app.post('/v1/recharges', async (request, response) => {
  const { accountId, amount, currency } = request.body;
  const id = randomUUID();
  await pool.query({
    name: 'insert',
    text: 'insert into recharge (id, account_id, amount, currency, idempotency_key) values ($1, $2, $3, $4, $5)',
    values: [id, accountId, amount, currency, request.headers['idempotency-key']],
  });
  response.status(201).json({ id, accountId, amount, currency, state: 'CREATED' });
});
app.listen(Number(PORT), '127.0.0.1', () => process.send({ ready: 'bare' }));

const end = () => process.exit();
process.once('SIGTERM', end);
process.once('disconnect', end);
