import { expect, test } from '@jest/globals';
import { createDatabase } from '@replenish/testing';
import { Prisma } from '../../src/generated/client.js';
import { openDatabase } from '../../src/store/database/database.js';
import { rowOf } from '../../src/store/recharges/creation/create.js';
import { insertStatement } from '../../src/store/recharges/creation/create-statement.js';

const id = '00000000-0000-7000-8000-00000000000a';

test('a create looks the stored requests up by hash, and compares no recharge with every request', async () => {
  const database = await createDatabase();
  const store = openDatabase({ databaseUrl: database.url, poolMax: 1, onConnectionLost: () => {} });
  try {
    const row = rowOf({
      id,
      clientId: id,
      idempotencyKey: 'k',
      accountId: 'acct-1',
      kind: 'collect',
      amountMinor: 1n,
      currency: 'USD',
      paymentMethod: 'sandbox',
      provider: 'sandbox',
      metadata: {},
      requestedAt: null,
      correlationId: 'c',
    });
    const statement = insertStatement([row], {
      hintLimitMs: 1_000,
      lanedProviders: [],
      approving: { expiresMs: 1_000, approvesFirst: false },
      newId: () => id,
    });
    const lines = await store.run<{ 'QUERY PLAN': string }>(Prisma.sql`explain ${statement}`);
    const plan = lines.map((line) => line['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/ANY \(\w*\.?id = \(hashed SubPlan \d+\)\.col1\)\) IS TRUE/);
    expect(plan).not.toMatch(/Join Filter: .*inserted_requests/);
  } finally {
    await store.close();
    await database.release();
  }
});
