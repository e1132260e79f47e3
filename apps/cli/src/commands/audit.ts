import { parseArgs } from 'node:util';
import type { AuditCall, Domain } from '@replenish/domain';
import type { Call, Command } from '../command.js';
import { withDomain } from './books.js';

const usage = `usage:
  replenish audit [--client ID] [--key K] [--account A] [--status N] [--from T] [--to T] [--limit N]
  replenish audit drop --before 2026-01
Newest first, 50 unless --limit says otherwise. Times are RFC 3339, or a day. drop removes whole months for good.`;

const PAGE_MAX = 500;
const LIMIT_MAX = 100_000;

/** The trail of calls, of all clients. */
export const audit: Command = (call) =>
  call.args[0] === 'drop' ? drop({ ...call, args: call.args.slice(1) }) : list(call);

function refuse(call: Call, why: string): number {
  call.complain(`${why}\n\n${usage}`);
  return 2;
}

async function list(call: Call): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...call.args],
    options: {
      client: text,
      key: text,
      account: text,
      status: text,
      from: text,
      to: text,
      limit: { type: 'string', default: '50' },
      json: { type: 'boolean', default: false },
    },
  });
  const [from, to] = [values.from, values.to].map((value) =>
    value === undefined ? undefined : new Date(value),
  );
  if ([from, to].some((time) => time && Number.isNaN(time.getTime()))) return refuse(call, 'that is no time');
  if (values.client !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(values.client))
    return refuse(call, '--client is the id that client list shows');
  const [limit, status] = [Number(values.limit), Number(values.status ?? 0)];
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX || !Number.isInteger(status))
    return refuse(call, `--status is a number, --limit one up to ${LIMIT_MAX}`);
  const say = values.json
    ? (one: AuditCall) => call.say(JSON.stringify(one))
    : (one: AuditCall) => call.say(lineOf(one));
  await withDomain(call.env, async (domain) => {
    const filter = {
      ...(values.client !== undefined && { clientId: values.client }),
      ...(values.key !== undefined && { keyId: values.key }),
      ...(values.account !== undefined && { accountId: values.account }),
      ...(values.status !== undefined && { status }),
      ...(from && { from }),
      ...(to && { to }),
    };
    for await (const one of pages(domain, filter, limit)) say(one);
  });
  return 0;
}

type Filter = Omit<Parameters<Domain['audit']['list']>[0], 'limit' | 'before'>;

async function* pages(domain: Domain, filter: Filter, limit: number): AsyncGenerator<AuditCall> {
  let before: AuditCall | undefined;
  for (let left = limit; left > 0; ) {
    const size = Math.min(left, PAGE_MAX);
    const page = await domain.audit.list({ ...filter, limit: size, ...(before && { before }) });
    yield* page;
    before = page.at(-1);
    left = page.length < size ? 0 : left - page.length;
  }
}

const lineOf = (call: AuditCall): string =>
  [
    call.at.toISOString(),
    call.ip.padEnd(15),
    (call.keyId ?? '-').padEnd(28),
    `${call.status}${call.code ? ` ${call.code}` : ''}`,
    `${call.method} ${call.route}`,
    call.accountId ?? '',
    `${call.durationMs} ms`,
    call.correlationId,
  ].join('  ');

async function drop(call: Call): Promise<number> {
  const { values } = parseArgs({
    args: [...call.args],
    options: { before: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(values.before ?? ''))
    return refuse(call, '--before is a month, such as 2026-01');
  const month = new Date(`${values.before}-01T00:00:00Z`);
  if (month > new Date()) return refuse(call, 'that month has not begun: calls of today would go with it');
  const dropped = await withDomain(call.env, (domain) => domain.audit.dropBefore(month));
  if (values.json) call.say(JSON.stringify({ dropped }));
  else call.say(dropped.length === 0 ? 'no month to drop' : `dropped ${dropped.join(', ')}`);
  return 0;
}
