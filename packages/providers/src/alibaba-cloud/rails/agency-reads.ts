import { z } from 'zod';
import type { CallFacts, NoDefiniteAnswer } from '../../contract/order.js';
import { fromMajor } from '../amounts.js';
import { type CodeMeaning, meaningOfCode } from '../codes.js';
import { type CloudRpc, factsOfExchange, type RpcExchange } from '../rpc.js';
import { fromChinaTime } from '../times.js';

/** The currency of the credit of a partner's customers. */
export const AGENCY_CURRENCY = 'USD';
export const AGENCY_VERSION = '2022-12-16';

/** The credit of a customer, in minor units. `outstandingMinor` is negative where more was deducted than was owed. */
export type CustomerCredit = Readonly<{ outstandingMinor: bigint; creditLineMinor: bigint }>;

/** A read of a customer. `meaning`: what was answered instead. */
export type CustomerRead<Value> =
  | Readonly<{ value: Value; facts: CallFacts }>
  | Readonly<{ meaning: CodeMeaning; facts: CallFacts }>;

const unread: NoDefiniteAnswer = { kind: 'unknown', cause: 'unreadable' };
const amount = z.string().max(40);
const credit = z.object({ Data: z.object({ OutstandingBalance: amount, CreditLine: amount }) });

export async function readCredit(
  rpc: CloudRpc,
  uid: string,
  signal: AbortSignal,
): Promise<CustomerRead<CustomerCredit>> {
  return valueIn(await ask(rpc, 'GetCreditInfo', { Uid: uid }, signal), (json) => {
    const read = credit.safeParse(json).data?.Data;
    const outstandingMinor = read && fromMajor(read.OutstandingBalance, AGENCY_CURRENCY);
    const creditLineMinor = read && fromMajor(read.CreditLine, AGENCY_CURRENCY);
    return outstandingMinor == null || creditLineMinor == null ? null : { outstandingMinor, creditLineMinor };
  });
}

/** A row of the history of deductions. It has neither an id nor a reference of ours. */
export type Deduction = Readonly<{ at: Date; amountMinor: bigint; isByApi: boolean }>;

/** The rows of a window. Not complete: the pages changed while they were read. */
export type DeductionHistory = Readonly<{ rows: readonly Deduction[]; pages: number; isComplete: boolean }>;

const row = z.object({
  OperationTime: z.string(),
  OffsetAmount: amount,
  OperationSubmitType: z.string(),
});
const page = z.object({ TotalCount: z.string().regex(/^\d{1,9}$/), Data: z.array(row).nullish() });

/** The provider's largest page. */
const PAGE_SIZE = 100;
const PAGES_MAX = 20;

/** Reads every deduction of a customer in the days of the window. */
export async function readDeductions(
  rpc: CloudRpc,
  { uid, from, to }: Readonly<{ uid: string; from: Date; to: Date }>,
  signal: AbortSignal,
  pageSize = PAGE_SIZE,
): Promise<CustomerRead<DeductionHistory>> {
  const rows: Deduction[] = [];
  const totals: number[] = [];
  for (let number = 1; number <= PAGES_MAX; number++) {
    const form = { Uid: uid, StartDate: chinaDay(from), EndDate: chinaDay(to) };
    const paged = { ...form, PageNo: String(number), PageSize: String(pageSize) };
    const read = valueIn(await ask(rpc, 'QueryReversedDeductionHistory', paged, signal), readDeductionPage);
    if ('meaning' in read) return read;
    rows.push(...read.value.rows);
    totals.push(read.value.total);
    if (number * pageSize < read.value.total) continue;
    const isStill = totals.every((total) => total === read.value.total);
    const isComplete = isStill && rows.length === read.value.total;
    return { value: { rows, pages: number, isComplete }, facts: read.facts };
  }
  return {
    value: { rows, pages: PAGES_MAX, isComplete: false },
    facts: { httpStatus: 200, providerCode: null },
  };
}

/** Null when a row has another form: a row that is skipped could be the order that is sought. */
function readDeductionPage(json: unknown): Readonly<{ total: number; rows: Deduction[] }> | null {
  const read = page.safeParse(json).data;
  const rows = (read?.Data ?? []).map(deductionOf);
  if (!read || rows.includes(null)) return null;
  return { total: Number(read.TotalCount), rows: rows as Deduction[] };
}

function deductionOf(read: z.infer<typeof row>): Deduction | null {
  const [, time] = /^(.+) UTC\+8$/.exec(read.OperationTime) ?? [];
  const at = time === undefined ? null : fromChinaTime(time);
  const amountMinor = fromMajor(read.OffsetAmount, AGENCY_CURRENCY);
  return at && amountMinor !== null ? { at, amountMinor, isByApi: read.OperationSubmitType === 'API' } : null;
}

const CHINA_OFFSET_MS = 8 * 3_600_000;
const chinaDay = (at: Date): string => new Date(at.getTime() + CHINA_OFFSET_MS).toISOString().slice(0, 10);

export const ask = (rpc: CloudRpc, action: string, form: Record<string, string>, signal: AbortSignal) =>
  rpc.call({ version: AGENCY_VERSION, action, form }, signal);

function valueIn<Value>(exchange: RpcExchange, read: (json: unknown) => Value | null): CustomerRead<Value> {
  const facts = factsOfExchange(exchange);
  if (exchange.kind === 'unanswered') return { meaning: exchange.outcome, facts };
  if (exchange.kind === 'refused') return { meaning: meaningOfCode(exchange), facts };
  const value = read(exchange.json);
  return value === null ? { meaning: unread, facts } : { value, facts };
}
