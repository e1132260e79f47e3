import type { CallSummary, PoolLevel, ToldBreaker } from '@replenish/domain';
import type { PageCall } from '../frame/call.js';
import { ageOf, mark, money, span, time } from '../frame/format.js';
import { type Html, html } from '../frame/html.js';
import { table } from '../frame/table.js';

type Reader = Pick<PageCall, 'say' | 'now'>;

export const breakerTable = (breakers: readonly ToldBreaker[], { say, now }: Reader): Html =>
  table(
    say('Open circuit breakers'),
    [
      {
        head: say('Provider'),
        cell: ({ provider, providerAccount }) =>
          html`<a href="/recharges?waiting=PROVIDER_DOWN">${provider} · ${providerAccount}</a>`,
      },
      { head: say('Operation'), cell: ({ operation }) => mark('open', operation) },
      { head: say('Open for'), cell: ({ openedAt }) => ageOf(openedAt, now), isNumber: true },
      { head: say('Tried again'), cell: ({ openUntil }) => time(openUntil) },
    ],
    breakers,
    say('All are closed: calls are made.'),
  );

export const poolTable = (pools: readonly PoolLevel[], { say, now }: Reader): Html =>
  table(
    say('Money of our accounts at providers'),
    [
      { head: say('Account'), cell: ({ provider, providerAccount }) => `${provider} · ${providerAccount}` },
      {
        head: say('Transferable'),
        cell: ({ transferableMinor, currency }) => money(transferableMinor, currency),
        isNumber: true,
      },
      {
        head: say('Wait for it'),
        cell: ({ waiting, currency }) =>
          html`<a href="/recharges?waiting=SOURCE_FUNDS&currency=${currency}">${waiting}</a>`,
        isNumber: true,
      },
      { head: say('Read'), cell: ({ readAt }) => say('{span} ago', { span: ageOf(readAt, now) }) },
    ],
    pools,
    say('No account is read yet.'),
  );

export const callTable = (calls: readonly CallSummary[], { say }: Reader): Html =>
  table(
    say('The newest calls'),
    [
      { head: say('Provider'), cell: ({ provider }) => provider },
      { head: say('Operation'), cell: ({ operation }) => operation },
      { head: say('Outcome'), cell: ({ outcome }) => mark(outcome) },
      { head: say('Calls'), cell: ({ count }) => count, isNumber: true },
      {
        head: say('Median'),
        cell: ({ medianMs }) => (medianMs === null ? '-' : span(medianMs)),
        isNumber: true,
      },
      { head: say('95 %'), cell: ({ p95Ms }) => (p95Ms === null ? '-' : span(p95Ms)), isNumber: true },
      { head: say('Last'), cell: ({ lastAt }) => time(lastAt) },
    ],
    calls,
    say('No call was made yet.'),
  );
