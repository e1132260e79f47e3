import { describe, expect, test } from '@jest/globals';
import { type RemarkKeys, remarkOf, type TransferTerms } from '../../src/alibaba-cloud/remark.js';
import type { CloudRpc, RpcExchange } from '../../src/alibaba-cloud/rpc.js';
import { scanFor } from '../../src/alibaba-cloud/scan.js';
import { soon } from '../support/builders.js';

const keys: RemarkKeys = [Buffer.alloc(32, 1)];
const terms: TransferTerms = {
  ...{ reference: '01932f5a-7c1e-7abc-8def-0123456789ab', amountMinor: 123_456n, currency: 'CNY' },
  destination: { from: 'fa-main', to: 'fa-1' },
};
const ours = remarkOf(terms, keys);
const now = new Date('2026-11-28T00:10:00Z');
const submits = {
  firstStartedAt: new Date('2026-11-28T00:00:00Z'),
  lastEndedAt: new Date('2026-11-28T00:00:03Z'),
};

type Row = Readonly<Record<string, string>>;
const row = (changes: Row = {}): Row => ({
  ...{ TransactionNumber: '6210322125051645962', TransactionDirection: 'OUT', Remark: ours },
  ...{ TransactionAmount: '1,234.56', Currency: 'CNY', TransactionTime: '2026-11-28 08:00:01' },
  ...changes,
});

/** A provider whose lists are given by account. */
const lists = (rows: Readonly<Record<string, readonly Row[] | RpcExchange>>): CloudRpc => ({
  async call({ form }) {
    const list = rows[form!.FundAccountId!] ?? [];
    if ('kind' in list) return list as RpcExchange;
    const Data = list as readonly Row[];
    return { kind: 'answered', json: { TotalCount: String(Data.length), Data } };
  },
});

const scan = (rows: Parameters<typeof lists>[0], readsBothSides = false) =>
  scanFor(lists(rows), terms, submits, { keys, own: 'from', readsBothSides, now: () => now }, soon());

test('a proven row settles the order with its number, its amount and its evidence', async () => {
  const { outcome, evidence } = await scan({ 'fa-main': [row()] });
  expect(outcome).toEqual({
    ...{ kind: 'found', status: 'settled', providerOrderId: '6210322125051645962', accountId: null },
    ...{ amountMinor: 123_456n, currency: 'CNY' },
  });
  expect(evidence).toEqual({
    ...{ windowFrom: '2026-11-27T23:14:00.000Z', windowTo: '2026-11-28T00:56:00.000Z' },
    ...{ begunAt: now.toISOString(), endedAt: now.toISOString(), sides: 'source', pages: 1, rows: 1 },
    ...{ newestRowAt: '2026-11-28T00:00:01.000Z', isComplete: true, suspects: [] },
  });
});

test('a proven row with another amount is found with that amount, so that the domain sees the difference', async () => {
  const { outcome } = await scan({ 'fa-main': [row({ TransactionAmount: '1,234.57' })] });
  expect(outcome).toMatchObject({ kind: 'found', amountMinor: 123_457n });
});

test('an amount with a minus sign is the same amount', async () => {
  const { outcome } = await scan({ 'fa-main': [row({ TransactionAmount: '-1,234.56' })] });
  expect(outcome).toMatchObject({ kind: 'found', amountMinor: 123_456n });
});

test('money that came back under our proof is left to a person', async () => {
  const back = row({ TransactionNumber: '6210322125051645963', TransactionDirection: 'IN' });
  expect((await scan({ 'fa-main': [row(), back] })).outcome).toMatchObject({
    kind: 'found',
    isPartlyRead: true,
  });
});

test('money that came back is not absent, even without the row of the transfer that sent it', async () => {
  const { outcome } = await scan({ 'fa-main': [row({ TransactionDirection: 'IN' })] });
  expect(outcome).toMatchObject({ kind: 'unknown', code: 'SuspectRow' });
});

test.each<[string, Row, object]>([
  ['the same money and no remark', { Remark: '' }, { kind: 'unknown', code: 'SuspectRow' }],
  ['other money and no remark', { Remark: '', TransactionAmount: '1.00' }, { kind: 'absent' }],
  ['the same money and the remark of a person', { Remark: 'November' }, { kind: 'absent' }],
  [
    'other money and our id without its proof',
    { Remark: terms.reference, TransactionAmount: '1.00' },
    { kind: 'unknown' },
  ],
])('a row with %s', async (_what, changes, outcome) => {
  expect((await scan({ 'fa-main': [row(changes)] })).outcome).toMatchObject(outcome);
});

test('the two sides of one transfer are one order', async () => {
  const arrival = row({ TransactionNumber: '7', TransactionDirection: 'IN' });
  const { outcome, evidence } = await scan({ 'fa-main': [row()], 'fa-1': [arrival] }, true);
  expect(outcome).toMatchObject({ kind: 'found', providerOrderId: '6210322125051645962' });
  expect(evidence).toMatchObject({ sides: 'both', rows: 2 });
});

test('a transfer that only the receiver shows is found', async () => {
  const { outcome } = await scan({ 'fa-main': [], 'fa-1': [row({ TransactionDirection: 'IN' })] }, true);
  expect(outcome).toMatchObject({ kind: 'found' });
});

test('a receiver that cannot be read for the moment leaves the question open', async () => {
  const failure: RpcExchange = { kind: 'unanswered', outcome: { kind: 'unknown', cause: 'timeout' } };
  const { outcome, evidence } = await scan({ 'fa-main': [], 'fa-1': failure }, true);
  expect(outcome).toEqual({ kind: 'unknown', cause: 'timeout' });
  expect(evidence!.isComplete).toBe(false);
});

describe('a recall', () => {
  const back: TransferTerms = { ...terms, destination: { from: 'fa-1', to: 'fa-main' } };
  const came = (changes: Row = {}) =>
    row({ TransactionDirection: 'IN', Remark: remarkOf(back, keys), ...changes });
  const scanBack = async (rows: Parameters<typeof lists>[0], readsBothSides = false) => {
    const options = { keys, own: 'to', readsBothSides, now: () => now } as const;
    return (await scanFor(lists(rows), back, submits, options, soon())).outcome;
  };

  test('is an incoming row of our account with its own proof', async () => {
    expect(await scanBack({ 'fa-main': [came()] })).toMatchObject({ kind: 'found', amountMinor: 123_456n });
    const left = came({ TransactionNumber: '8', TransactionDirection: 'OUT' });
    expect(await scanBack({ 'fa-main': [], 'fa-1': [left] }, true)).toMatchObject({ kind: 'found' });
  });

  test('is not the delivery between the same accounts, even under the same id', async () => {
    expect(await scanBack({ 'fa-main': [row({ Remark: '' })] })).toEqual({ kind: 'absent' });
    expect(await scanBack({ 'fa-main': [row()] })).toMatchObject({ kind: 'unknown', code: 'SuspectRow' });
    expect(await scanBack({ 'fa-main': [came({ Remark: '' })] })).toMatchObject({ code: 'SuspectRow' });
  });
});
