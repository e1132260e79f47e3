import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { isCurrency } from './amounts.js';
import { type BehaviourName, type Behaviours, behaviours } from './behaviours.js';
import { bookOf, type FundAccounts, transferable } from './operations/fund-accounts.js';
import type { CloudStore, FundAccount, FundTransfer } from './store.js';

export type ControlledParts = Readonly<{
  store: CloudStore;
  accounts: FundAccounts;
  behaviours: Behaviours;
}>;

const name = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 characters of A-Z a-z 0-9 . _ : -');
const minorUnits = z.int('must be a JSON integer of minor units');

const GivenAccount = z.strictObject({
  id: name,
  owner: name.optional(),
  currency: z.string().refine(isCurrency, 'must be CNY, USD or JPY').default('CNY'),
  cash: minorUnits.min(0),
  credit: minorUnits.min(0).optional(),
  status: z.enum(['VALID', 'FROZEN', 'CLOSED']).optional(),
  isReadable: z.boolean().optional(),
});

const GivenBehaviour = z.strictObject({
  scenario: z.enum(Object.keys(behaviours) as [BehaviourName, ...BehaviourName[]]),
  times: z.int().min(1).max(1_000_000).default(1),
  to: name.optional(),
  delayMs: z.int().min(0).max(86_400_000).default(0),
});

const GivenQuota = z.strictObject({ owner: name, consumed: minorUnits });
const GivenCredit = z.strictObject({ uid: name, creditLine: minorUnits, outstanding: minorUnits });
const GivenClock = z.strictObject({ aheadMs: z.int().min(0).max(31_536_000_000) });

/** The routes below `/_control/alibaba`, for tests and people. Amounts are in minor units. */
export function alibabaControlRoutes({ store, accounts, behaviours: ordered }: ControlledParts): Router {
  const router = Router();
  router.use(express.json({ limit: '1kb' }));
  router.post('/fund-accounts', async (request, response) => {
    const given = read(GivenAccount, request, response);
    if (!given) return;
    const { currency, cash, credit, ...account } = given;
    const known = Object.entries(account).filter(([, value]) => value !== undefined);
    const line = credit === undefined ? undefined : BigInt(credit);
    response.json(
      showAccount(await accounts.set(Object.fromEntries(known) as never, currency, BigInt(cash), line)),
    );
  });
  router.get('/fund-accounts', (_request, response) => {
    response.json({ fundAccounts: accounts.list().map(showAccount) });
  });
  router.get('/fund-accounts/:id', (request, response) => {
    const account = accounts.get(request.params.id);
    if (account) response.json(showAccount(account));
    else response.status(404).json({ code: 'not_found', message: 'no such fund account' });
  });
  router.get('/transfers', ({ query }, response) => {
    const transfers = accounts.transfers().filter((one) => isSought(one, query));
    response.json({ transfers: transfers.map(showTransfer) });
  });
  router.post('/behave', (request, response) => {
    const given = read(GivenBehaviour, request, response);
    if (!given) return;
    const { scenario, delayMs, times, to } = given;
    ordered.order({ scenario, delayMs }, times, to);
    response.json({ ...given, does: behaviours[scenario] });
  });
  router.post('/clock', (request, response) => {
    const given = read(GivenClock, request, response);
    if (!given) return;
    accounts.visibilityAheadMs = given.aheadMs;
    response.json(given);
  });
  partnerRoutes(router, store);
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (((error as { status?: number }).status ?? 500) >= 500) return next(error);
    response.status(400).json({ code: 'invalid_parameter', message: (error as Error).message });
  });
  return router;
}

/** The customers of a virtual operator and of an agency partner. */
function partnerRoutes(router: Router, store: CloudStore): void {
  router.post('/reseller-customers', async (request, response) => {
    const given = read(GivenQuota, request, response);
    if (!given) return;
    const { owner, consumed } = given;
    await store.change(() => {
      const done = store.quotas.get(owner)?.done ?? {};
      store.quotas.put(owner, { consumed: BigInt(consumed), done });
    });
    response.json(given);
  });
  router.get('/reseller-customers/:owner', ({ params: { owner } }, response) => {
    const quota = store.quotas.get(owner);
    if (!quota) return response.status(404).json({ code: 'not_found', message: 'no such customer' });
    response.json({ owner, consumed: Number(quota.consumed), changes: Object.keys(quota.done) });
  });
  router.get('/quota-changes', ({ query: { out_biz_id } }, response) => {
    const changes = [...store.quotaChanges.getRange()].map(({ value }) => value);
    response.json({
      changes: changes
        .filter(({ outBizId }) => out_biz_id === undefined || outBizId === out_biz_id)
        .map(({ owner, outBizId, amount, atMs }) => ({
          ...{ owner, outBizId, amount: Number(amount), currency: 'CNY' },
          at: new Date(atMs).toISOString(),
        })),
    });
  });
  router.post('/agency-customers', async (request, response) => {
    const given = read(GivenCredit, request, response);
    if (!given) return;
    const { uid, creditLine, outstanding } = given;
    await store.credits.put(uid, { creditLine: BigInt(creditLine), outstanding: BigInt(outstanding) });
    response.json(given);
  });
  router.get('/agency-customers/:uid', ({ params: { uid } }, response) => {
    const credit = store.credits.get(uid);
    if (!credit) return response.status(404).json({ code: 'not_found', message: 'no such customer' });
    const deductions = [...store.deductions.getRange()].map(({ value }) => value);
    response.json({
      ...{ uid, creditLine: Number(credit.creditLine), outstanding: Number(credit.outstanding) },
      deductions: deductions
        .filter((one) => one.uid === uid)
        .map(({ amount, atMs }) => ({ amount: Number(amount), at: new Date(atMs).toISOString() })),
    });
  });
}

function read<Given>(schema: z.ZodType<Given>, request: Request, response: Response): Given | undefined {
  const parsed = schema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const message = `${first?.path.join('.') || 'body'}: ${first?.message}`;
  response.status(400).json({ code: 'invalid_parameter', message });
  return undefined;
}

/** A remark is sought by a part of it, such as a transaction id with or without its dashes. */
const isSought = (transfer: FundTransfer, { from, to, remark }: Request['query']): boolean =>
  (from === undefined || transfer.from === from) &&
  (to === undefined || transfer.to === to) &&
  (typeof remark !== 'string' || withoutDashes(transfer.remark).includes(withoutDashes(remark)));

const withoutDashes = (text: string): string => text.replaceAll('-', '').toLowerCase();

/** `currency`, `cash`, `credit` and `transferable` are those of the first currency. `balances` has every currency. */
function showAccount(account: FundAccount) {
  const balances = Object.keys(account.books).map((currency) => ({
    currency,
    cash: Number(bookOf(account, currency).cash),
    credit: Number(bookOf(account, currency).credit ?? 0n),
    transferredIn: Number(bookOf(account, currency).transferredIn),
    transferable: Number(transferable(account, currency)),
  }));
  const { id, owner, status, isReadable } = account;
  return { id, owner, status, isReadable, ...balances[0], balances };
}

const showTransfer = ({
  number,
  from,
  to,
  amount,
  currency,
  kind,
  remark,
  atMs,
  visibleAtMs,
}: FundTransfer) => ({
  ...{ number, from, to, amount: Number(amount), currency, kind, remark },
  at: new Date(atMs).toISOString(),
  visibleAt: new Date(visibleAtMs).toISOString(),
});
