import type { CallAnswer, NoDefiniteAnswer } from '../contract/order.js';
import type { StatementOutcome, StatementPageAsk, StatementReads } from '../contract/statement.js';
import type { BillFiles } from './bill-file.js';
import type { AlipayClient } from './client.js';
import { codeOf, factsOf, noAnswerOf } from './errors.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

// Bills are of days in China. A bill is there by nine in the morning of the next day, and may be late.
const CHINA_OFFSET_MS = 8 * HOUR_MS;
const READY_AFTER_MS = 10 * HOUR_MS;
// Alipay has no bill for a day without a trade, and says so with the code of a bill that is not made yet.
const NONE_AFTER_MS = 24 * HOUR_MS;

// The first one was seen in answers, the second one is in the documents.
const notThere: ReadonlySet<string> = new Set(['isp.bill_not_exist', 'BILL_NOT_EXIST']);
const noRight = /^(ACCESS_FORBIDDEN|insufficient-(isv|user)-permissions|isv\.insufficient-\w+-permissions)$/;

type BillReads = Readonly<{ client: AlipayClient; bills: BillFiles; now: () => Date }>;

/** The trades and refunds of our account, one bill per day in China, oldest first. They have no running balance. */
export const alipayStatement = ({ client, bills, now }: BillReads): StatementReads => ({
  days: { utcOffsetMs: CHINA_OFFSET_MS, readyAfterMs: READY_AFTER_MS },
  async read(ask, signal): Promise<CallAnswer<StatementOutcome>> {
    const day = ask.after ?? dayOf(ask.from);
    const params = { bill_type: 'trade', bill_date: day };
    const reply = await client.read('/v3/alipay/data/dataservice/bill/downloadurl/query', params, signal);
    if ('error' in reply) {
      const facts = factsOf(reply.call, reply.error);
      return {
        outcome: outcomeOfRefusal(noAnswerOf(reply.call, reply.error), codeOf(reply.error), {
          ask,
          day,
          now: now(),
        }),
        facts,
      };
    }
    const address = (reply.data as { bill_download_url?: unknown } | null)?.bill_download_url;
    const bill = await bills.fetch(address, signal);
    const facts = { httpStatus: bill.httpStatus, providerCode: null };
    if (bill.kind === 'failed') return { outcome: bill.outcome, facts };
    if (bill.kind === 'too_long') return { outcome: tooLong(day), facts };
    const lines = bill.lines.filter(({ at }) => at >= ask.from && at < ask.to);
    return { outcome: { kind: 'read', lines, next: dayAfter(day, ask) }, facts };
  },
});

/** What an error says about the bill of a day. Until the bill must be there, no answer means that the day has none. */
function outcomeOfRefusal(
  noAnswer: NoDefiniteAnswer,
  code: string | null,
  { ask, day, now }: Readonly<{ ask: StatementPageAsk; day: string; now: Date }>,
): StatementOutcome {
  if (code === null) return noAnswer;
  const overForMs = now.getTime() - beginOf(day) - DAY_MS;
  if (notThere.has(code) && overForMs >= NONE_AFTER_MS)
    return { kind: 'read', lines: [], next: dayAfter(day, ask) };
  const isEarly = overForMs < 0 && /^(isv\.)?INVAI?LID_ARGUMENTS$/i.test(code);
  if (notThere.has(code) || isEarly) return { kind: 'unknown', cause: 'unproven', code };
  if (noRight.test(code)) return { kind: 'refused', code, message: 'the app may not read bills' };
  return noAnswer;
}

const tooLong = (day: string): StatementOutcome => ({
  kind: 'refused',
  code: 'bill_too_long',
  message: `the bill of ${day} is too long to be fetched; download it, and give it as a file`,
});

/** The day in China, `yyyy-MM-dd`. */
const dayOf = (at: Date): string => new Date(at.getTime() + CHINA_OFFSET_MS).toISOString().slice(0, 10);

const beginOf = (day: string): number => Date.parse(`${day}T00:00:00+08:00`);

/** The day after, if it is in the period. */
function dayAfter(day: string, { to }: StatementPageAsk): string | null {
  const begin = beginOf(day) + DAY_MS;
  return begin < to.getTime() ? dayOf(new Date(begin)) : null;
}
