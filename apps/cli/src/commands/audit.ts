import { Command } from '@commander-js/extra-typings';
import type { AuditCall, AuditFilter, CallPlace, Domain } from '@replenish/domain';
import { withDomain } from '../books.js';
import { type Declare, JSON_ABOUT, Misuse } from '../command.js';
import { tableOf } from '../table.js';
import * as values from '../values.js';

const PAGE_MAX = 500;
const LIMIT_MAX = 100_000;

export const audit: Declare = (run) =>
  new Command('audit')
    .description('list the API calls of all clients, newest first')
    .option(
      '--client <clientId>',
      'calls of one client, by the client id that `client list` shows',
      values.uuid,
    )
    .option('--key <keyId>', 'calls with one key')
    .option('--account <accountId>', 'calls about one account')
    .option('--correlation-id <id>', 'calls with one correlation id')
    .option('--status <number>', 'calls answered with one HTTP status', values.wholeNumber(100, 599))
    .option(
      '--from <time>',
      'beginning of the period, itself included: RFC 3339, or a day, which means its beginning in UTC',
      values.time,
    )
    .option('--to <time>', 'end of the period, itself excluded', values.time)
    .option('--limit <number>', 'number of calls at most', values.wholeNumber(1, LIMIT_MAX), 50)
    .option('--json', `${JSON_ABOUT}, one call per line`)
    .addHelpText('after', '\nExample:\n  replenish audit --from 2026-11-01 --status 403 --json')
    .addCommand(drop(run))
    .action(async ({ json, limit, ...asked }) => {
      const filter = filterFrom(asked);
      await withDomain(run.env, async (domain) => {
        const rows: string[][] = [];
        for await (const call of pages(domain, filter, limit)) {
          if (json) run.say(bodyOf(call));
          else rows.push(rowOf(call));
        }
        if (!json) run.say(rows.length === 0 ? 'no such call' : tableOf(HEADS, rows, run.paint));
      });
    });

type Filter = Omit<AuditFilter, 'limit' | 'before'>;
type AuditOptions = Readonly<{
  client?: string;
  key?: string;
  account?: string;
  correlationId?: string;
  status?: number;
  from?: Date;
  to?: Date;
}>;

function filterFrom({ client, key, account, correlationId, ...rest }: AuditOptions): Filter {
  if (rest.from && rest.to && rest.from >= rest.to) throw new Misuse('--from must be before --to');
  return { ...rest, clientId: client, keyId: key, accountId: account, correlationId };
}

async function* pages(domain: Domain, filter: Filter, limit: number): AsyncGenerator<AuditCall> {
  let before: CallPlace | undefined;
  for (let left = limit; left > 0; ) {
    const { calls, next } = await domain.audit.list({ ...filter, limit: Math.min(left, PAGE_MAX), before });
    yield* calls;
    if (!next) return;
    before = next;
    left -= calls.length;
  }
}

const bodyOf = ({ id, ...call }: AuditCall): string => JSON.stringify({ callId: id, ...call });

const HEADS = ['TIME', 'ADDRESS', 'KEY ID', 'STATUS', 'CALL', 'RECHARGE', 'ACCOUNT', 'MS', 'CORRELATION ID'];

const rowOf = (call: AuditCall): string[] => [
  call.at.toISOString(),
  call.ip,
  call.keyId ?? '-',
  call.code ? `${call.status} ${call.code}` : String(call.status),
  `${call.method} ${call.route}`,
  rechargeOf(call),
  call.accountId ?? '-',
  call.durationMs.toFixed(1),
  call.correlationId,
];

/**
 * The transaction id in the path. A request that creates a recharge has no id in its path. Its correlation id leads to
 * the recharge.
 */
const rechargeOf = ({ route, params: { id } }: AuditCall): string =>
  route.startsWith('/v1/recharges/:id') && typeof id === 'string' ? id : '-';

const drop: Declare = ({ env, say }) =>
  new Command('drop')
    .description('delete whole months of calls; they cannot be restored')
    .requiredOption('--before <month>', 'the first month that stays, such as 2026-01', values.month)
    .option('--json', JSON_ABOUT)
    .action(async ({ json, before }) => {
      if (before > new Date())
        throw new Misuse(
          `--before ${before.toISOString().slice(0, 7)} has not begun: calls of today would go with it`,
        );
      const dropped = await withDomain(env, (domain) => domain.audit.dropBefore(before));
      if (json) say(JSON.stringify({ dropped }));
      else say(dropped.length === 0 ? 'no month to drop' : `dropped ${dropped.join(', ')}`);
    });
