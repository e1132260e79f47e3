import { type Domain, EVENTS_COUNTED_MAX } from '@replenish/domain';
import type { PageCall, ShownPage } from '../frame/call.js';
import { time } from '../frame/format.js';
import { html } from '../frame/html.js';
import { facts } from '../frame/table.js';
import { accountTable, breakerTable, type ConfiguredAccount, callTable, poolTable } from './tables.js';

/** How the providers answer: the configured accounts, breakers, pools, and the newest calls with their outcomes and times. */
export async function providersPage(
  { domain, accounts }: Readonly<{ domain: Pick<Domain, 'console'>; accounts: readonly ConfiguredAccount[] }>,
  call: PageCall,
): Promise<ShownPage> {
  const { say } = call;
  const [{ breakers, pools, calls }, backlog] = await Promise.all([
    domain.console.providers(),
    domain.console.eventBacklog(),
  ]);
  const count = backlog.count >= EVENTS_COUNTED_MAX ? `${EVENTS_COUNTED_MAX}+` : String(backlog.count);
  const body = html`<section><h2>${say('Accounts')}</h2>${accountTable(accounts, { breakers, calls }, call)}</section>
<section><h2>${say('Circuit breakers')}</h2>${breakerTable(breakers, call)}</section>
<section><h2>${say('Pools')}</h2>${poolTable(pools, call)}</section>
<section><h2>${say('Calls')}</h2>${callTable(calls, call)}</section>
<section id="events"><h2>${say('Events')}</h2>${facts([
    [say('Stored and not processed'), count],
    [say('Oldest'), time(backlog.oldestAt)],
  ])}</section>`;
  return { title: say('Providers'), body, isLive: true };
}
