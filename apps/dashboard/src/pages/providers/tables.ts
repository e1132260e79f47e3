import type { CallSummary, PoolLevel, ProviderState, ToldBreaker } from '@replenish/domain';
import type { PageCall } from '../frame/call.js';
import { ageOf, mark, money, outcomeMark, span, time } from '../frame/format.js';
import { type Html, html } from '../frame/html.js';
import { table } from '../frame/table.js';

type Reader = Pick<PageCall, 'say' | 'now'>;

/** An account at a provider that the configuration names. */
export type ConfiguredAccount = Readonly<{ provider: string; providerAccount: string }>;

const isOf =
  (one: ConfiguredAccount) =>
  ({ provider, providerAccount }: ConfiguredAccount): boolean =>
    provider === one.provider && providerAccount === one.providerAccount;

/** Every account of the configuration, even one that was never called. */
export const accountTable = (
  accounts: readonly ConfiguredAccount[],
  { breakers, calls }: Pick<ProviderState, 'breakers' | 'calls'>,
  { say }: Reader,
): Html =>
  table(
    say('Our accounts at providers'),
    [
      { head: say('Account'), cell: ({ provider, providerAccount }) => `${provider} · ${providerAccount}` },
      {
        head: say('Open circuit breakers'),
        cell: (one) =>
          breakers.some(isOf(one))
            ? breakers.filter(isOf(one)).map(({ operation }) => html`${mark('open', say(operation))} `)
            : '-',
      },
      {
        head: say('Newest calls'),
        cell: (one) => calls.filter(isOf(one)).reduce((sum, { count }) => sum + count, 0),
        isNumber: true,
      },
      {
        head: say('Last'),
        cell: (one) => {
          const lastMs = calls.filter(isOf(one)).map(({ lastAt }) => lastAt.getTime());
          return lastMs.length === 0 ? '-' : time(new Date(Math.max(...lastMs)));
        },
      },
    ],
    accounts,
    say('No account is configured.'),
  );

export const breakerTable = (breakers: readonly ToldBreaker[], { say, now }: Reader): Html =>
  table(
    say('Open circuit breakers'),
    [
      {
        head: say('Provider'),
        cell: ({ provider, providerAccount }) =>
          html`<a href="/recharges?waiting=PROVIDER_DOWN">${provider} · ${providerAccount}</a>`,
      },
      { head: say('Operation'), cell: ({ operation }) => mark('open', say(operation)) },
      { head: say('Open for'), cell: ({ openedAt }) => ageOf(openedAt, { say, now }), isNumber: true },
      {
        head: say('Tried again'),
        cell: ({ openUntil }) => (openUntil <= now ? say('with the next call') : time(openUntil)),
      },
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
          html`<a href="/recharges?waiting=SOURCE_FUNDS&currency=${currency}">${waiting > 0 ? mark('waiting', String(waiting)) : waiting}</a>`,
        isNumber: true,
      },
      { head: say('Read'), cell: ({ readAt }) => say('{span} ago', { span: ageOf(readAt, { say, now }) }) },
    ],
    pools,
    say('No account is read yet.'),
  );

export const callTable = (calls: readonly CallSummary[], { say }: Reader): Html =>
  table(
    say('The newest calls'),
    [
      { head: say('Account'), cell: ({ provider, providerAccount }) => `${provider} · ${providerAccount}` },
      { head: say('Operation'), cell: ({ operation }) => say(operation) },
      { head: say('Outcome'), cell: ({ outcome }) => outcomeMark(outcome, say) },
      { head: say('Calls'), cell: ({ count }) => count, isNumber: true },
      {
        head: say('Median'),
        cell: ({ medianMs }) => (medianMs === null ? '-' : span(medianMs, say)),
        isNumber: true,
      },
      { head: say('95 %'), cell: ({ p95Ms }) => (p95Ms === null ? '-' : span(p95Ms, say)), isNumber: true },
      { head: say('Last'), cell: ({ lastAt }) => time(lastAt) },
    ],
    calls,
    say('No call was made yet.'),
  );
