import type { AuditCall, Domain } from '@replenish/domain';
import { Misuse, type Values } from '../arguments.js';
import type { Command } from '../command.js';
import { withDomain } from './books.js';

const PAGE_MAX = 500;
const LIMIT_MAX = 100_000;

/** The trail of calls, of all clients. */
export const list: Command<'audit'> = async ({ values, env, say }) => {
  const filter = filterFrom(values);
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    throw new Misuse(`--limit is a number up to ${LIMIT_MAX}`);
  const print = values.json ? bodyOf : lineOf;
  await withDomain(env, async (domain) => {
    for await (const one of pages(domain, filter, limit)) say(print(one));
  });
  return 0;
};

function filterFrom(values: Values<'audit'>): Filter {
  const [from, to] = [values.from, values.to].map((text) =>
    text === undefined ? undefined : new Date(text),
  );
  if (from && Number.isNaN(from.getTime())) throw new Misuse(`--from ${values.from} is no time`);
  if (to && Number.isNaN(to.getTime())) throw new Misuse(`--to ${values.to} is no time`);
  if (values.client !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(values.client))
    throw new Misuse('--client is the id that client list shows');
  if (!/^\d*$/.test(values.status ?? '')) throw new Misuse('--status is a number');
  return {
    ...(values.client !== undefined && { clientId: values.client }),
    ...(values.key !== undefined && { keyId: values.key }),
    ...(values.account !== undefined && { accountId: values.account }),
    ...(values.status !== undefined && { status: Number(values.status) }),
    ...(from && { from }),
    ...(to && { to }),
  };
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

const bodyOf = ({ id, ...call }: AuditCall): string => JSON.stringify({ callId: id, ...call });

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

export const drop: Command<'audit drop'> = async ({ values, env, say }) => {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(values.before ?? ''))
    throw new Misuse('--before is a month, such as 2026-01');
  const month = new Date(`${values.before}-01T00:00:00Z`);
  if (month > new Date())
    throw new Misuse(`--before ${values.before} has not begun: calls of today would go with it`);
  const dropped = await withDomain(env, (domain) => domain.audit.dropBefore(month));
  if (values.json) say(JSON.stringify({ dropped }));
  else say(dropped.length === 0 ? 'no month to drop' : `dropped ${dropped.join(', ')}`);
  return 0;
};
