import {
  type ActionView,
  type AuditCall,
  type Domain,
  isUuid,
  type KeyLock,
  type SecurityEventView,
} from '@replenish/domain';
import { timeFromText } from '@replenish/domain/rules';
import type { PageCall, ShownPage } from '../frame/call.js';
import { filedText } from '../frame/filed.js';
import { caseLink, inUnit, mark, rechargeLink, shortId, time } from '../frame/format.js';
import { type Html, html } from '../frame/html.js';
import { nextLink, table } from '../frame/table.js';

export type TrailPagesDeps = Readonly<{ domain: Pick<Domain, 'audit' | 'security' | 'console'> }>;

const PAGE_ROWS = 50;

/** The calls of all clients, and what people decided. */
export async function auditPage({ domain }: TrailPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked } = call;
  const [at, id, status] = [asked('at'), asked('id'), asked('status')];
  const moment = at === null ? null : timeFromText(at);
  const filter = {
    keyId: asked('key') ?? undefined,
    accountId: asked('account') ?? undefined,
    correlationId: asked('correlation') ?? undefined,
    status: status !== null && /^[1-5]\d\d$/.test(status) ? Number(status) : undefined,
  };
  const before = moment && id !== null && isUuid(id) ? { at: moment, id } : undefined;
  const [{ calls, next }, actions] = await Promise.all([
    domain.audit.list({ ...filter, before, limit: PAGE_ROWS }),
    domain.console.actions(null, PAGE_ROWS),
  ]);
  const input = (name: string, label: string): Html =>
    html`<label>${label} <input name="${name}" value="${asked(name) ?? ''}" autocomplete="off"></label>`;
  const kept = ['key', 'account', 'correlation', 'status'].flatMap((name): [string, string][] => {
    const value = asked(name);
    return value === null ? [] : [[name, value]];
  });
  const nextAddress =
    next && `/audit?${new URLSearchParams([...kept, ['at', next.at.toISOString()], ['id', next.id]])}`;
  const body = html`<section><h2>${say('Decisions of people')}</h2>${actionTable(actions, call)}</section>
<section><h2>${say('Calls')}</h2><form class="filters" method="get" action="/audit" aria-label="${say('Filters')}">${input('key', say('Key'))} ${input('account', say('Account'))} ${input('status', 'HTTP')} ${input('correlation', say('Correlation id'))} <button>${say('Filter')}</button></form>
${callTable(calls, call)}${nextLink(nextAddress, say('Older ones'))}</section>`;
  return { title: say('Audit'), body };
}

/** Verbs whose reason is not written by a person: it says what was done. */
const verbsWithoutWords: ReadonlySet<string> = new Set([
  ...['assign', 'due', 'sign_in', 'sign_in_refused', 'sign_out', 'use_recovery_code', 'create_user'],
  ...['disable_user', 'reset_user', 'set_role', 'end_sessions'],
]);

const actionTable = (actions: readonly ActionView[], { say }: PageCall): Html =>
  table<ActionView>(
    say('Decisions of people'),
    [
      { head: say('At'), cell: ({ at }) => time(at) },
      { head: say('Who'), cell: ({ actor, role }) => `${actor} ${say('({role})', { role: say(role) })}` },
      { head: say('Verb'), cell: ({ verb }) => mark('verb', say(verb)) },
      {
        head: say('About'),
        cell: ({ transactionId, caseId, subject }) =>
          transactionId ? rechargeLink(transactionId) : caseId ? caseLink(caseId) : filedText(subject, say),
      },
      {
        head: say('Reason'),
        cell: ({ verb, reason }) => (verbsWithoutWords.has(verb) ? say(filedText(reason, say)) : reason),
      },
    ],
    actions,
    say('Nobody has decided anything yet.'),
  );

const callTable = (calls: readonly AuditCall[], { say }: PageCall): Html =>
  table<AuditCall>(
    say('Calls'),
    [
      { head: say('At'), cell: ({ at }) => time(at) },
      { head: say('Call'), cell: ({ method, route }) => `${method} ${route}` },
      {
        head: 'HTTP',
        cell: ({ status }) => mark(status >= 400 ? 'failed' : 'ok', String(status)),
        isNumber: true,
      },
      { head: say('Code'), cell: ({ code }) => code ?? '' },
      { head: say('Key'), cell: ({ keyId }) => keyId ?? '' },
      { head: say('Account'), cell: ({ accountId }) => accountId ?? '' },
      { head: say('Address'), cell: ({ ip }) => ip },
      {
        head: say('Took'),
        cell: ({ durationMs }) => inUnit('ms', durationMs.toFixed(1), say),
        isNumber: true,
      },
      {
        head: say('Correlation id'),
        cell: ({ correlationId }) =>
          html`<span class="id" title="${correlationId}">${shortId(correlationId)}</span>`,
      },
    ],
    calls,
    say('No call fits.'),
  );

/** Breaches of the security rules, and the locks that are in force. */
export async function securityPage({ domain }: TrailPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked } = call;
  const before = asked('before');
  const beforeId = before !== null && /^\d{1,18}$/.test(before) ? BigInt(before) : null;
  const [events, locks] = await Promise.all([
    domain.console.securityEvents(beforeId, PAGE_ROWS),
    domain.security.locked(),
  ]);
  const last = events.length === PAGE_ROWS ? events.at(-1)! : null;
  const body = html`<section><h2>${say('Locks')}</h2>${table<KeyLock>(
    say('Locks'),
    [
      { head: say('Key'), cell: ({ keyId }) => html`<a href="/clients#${keyId}">${keyId}</a>` },
      { head: say('Rule'), cell: ({ rule }) => mark('failed', say(rule)) },
      { head: say('Address'), cell: ({ origin }) => origin ?? say('everywhere') },
      { head: say('Until'), cell: ({ until }) => time(until) },
    ],
    locks,
    say('No key is locked.'),
  )}</section>
<section><h2>${say('Events')}</h2>${table<SecurityEventView>(
    say('Events'),
    [
      { head: say('At'), cell: ({ at }) => time(at) },
      { head: say('Rule'), cell: ({ rule }) => say(rule) },
      { head: say('Times'), cell: ({ count }) => count, isNumber: true },
      { head: say('Key'), cell: ({ keyId }) => keyId ?? '' },
      { head: say('Address'), cell: ({ origin }) => origin ?? '' },
      { head: say('Detail'), cell: ({ detail }) => detail && filedText(detail, say) },
    ],
    events,
    say('No rule was broken.'),
  )}${nextLink(last && `/security?before=${last.id}`, say('Older ones'))}</section>`;
  return { title: say('Security'), body, isLive: beforeId === null };
}
