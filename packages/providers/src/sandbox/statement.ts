import { z } from 'zod';
import type { CallAnswer } from '../contract/order.js';
import type { ProviderLine, StatementOutcome, StatementReads } from '../contract/statement.js';
import type { Exchange, HttpClient } from '../transport/http.js';
import { readErrorCode, readErrorMessage } from './messages.js';
import { factsOf, outcomeWithoutOrder } from './outcomes.js';

const name = z.string().min(1).max(255);
const line = z.object({
  line: name,
  at: z.iso.datetime(),
  orderId: name,
  reference: name,
  direction: z.enum(['in', 'out']),
  amount: z.int().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/),
  balance: z.string().regex(/^-?\d{1,18}$/),
});
const page = z.object({ lines: z.array(line), next: z.string().max(64).nullable() });

/** The statement of the account that all orders of the simulator go through, oldest line first. */
export const sandboxStatement = (http: HttpClient): StatementReads => ({
  async read({ from, to, after }, signal): Promise<CallAnswer<StatementOutcome>> {
    const query = {
      from: from.toISOString(),
      to: to.toISOString(),
      ...(after !== null && { after }),
    };
    const exchange = await http.exchange({ method: 'GET', path: '/v1/statement', query }, signal);
    return { outcome: outcomeOf(exchange), facts: factsOf(exchange) };
  },
});

function outcomeOf(exchange: Exchange): StatementOutcome {
  if (!exchange.isAnswered) return exchange.outcome;
  const { status, json } = exchange;
  const code = readErrorCode(json);
  if (status === 422 && code) return { kind: 'refused', code, message: readErrorMessage(json) };
  if (status !== 200) return outcomeWithoutOrder(exchange, code);
  const read = page.safeParse(json).data;
  if (!read) return { kind: 'unknown', cause: 'unreadable' };
  return { kind: 'read', lines: read.lines.map(lineOf), next: read.next };
}

const lineOf = ({ at, amount, balance, ...rest }: z.infer<typeof line>): ProviderLine => ({
  ...rest,
  at: new Date(at),
  amountMinor: BigInt(amount),
  balanceMinor: BigInt(balance),
});
