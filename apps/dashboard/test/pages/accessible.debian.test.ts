import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Axe, openAxe } from './support/axe.js';
import { openConsoleOnBooks, type ServedConsole, troubles } from './support/console.js';

// This test needs Debian's chromium.

let served: ServedConsole;
let axe: Axe;
const paths: Record<string, string> = {
  overview: '/',
  recharges: '/recharges',
  'nothing found': '/recharges?q=no-such-thing',
  cases: '/cases',
  accounts: '/accounts',
  account: '/accounts/acct-1',
  providers: '/providers',
  rules: '/rules',
  plans: '/plans',
  callbacks: '/callbacks',
  'overdue cases': '/cases?desk=overdue',
  'bulk verbs': '/bulk',
  'a new bulk verb': '/bulk/new?verb=recheck',
  'all rules': '/rules/stop',
  clients: '/clients',
  'a new client': '/clients/new',
  audit: '/audit',
  security: '/security',
};

beforeAll(async () => {
  served = await openConsoleOnBooks();
  await served.recharge({ accountId: 'acct-1' }, ['submit'], ['settled']);
  const late = await served.recharge({ accountId: 'acct-1' }, ...troubles.late);
  const silent = await served.recharge({ accountId: 'acct-2' }, ...troubles.silent);
  const [one] = (await served.domain.cases.list({ viewer: null, transactionId: late, limit: 1 }, () => true))
    .rows;
  Object.assign(paths, {
    ...{ 'a recharge': `/recharges/${silent}`, 'a question': `/recharges/${silent}/recheck` },
    ...{ 'a case': `/cases/${one!.id}`, 'a verb': `/cases/${one!.id}/adopt` },
  });
  await served.domain.notices.openChannels(['slack']);
  const mia = { actor: 'mia', role: 'admin' };
  await served.domain.desk.assign({ caseId: one!.id, version: 0, assignee: 'mia' }, mia);
  await served.domain.desk.setDue({ caseId: one!.id, version: 1, dueAt: new Date(0) }, mia);
  await served.domain.desk.comment({ caseId: one!.id, text: 'asked the bank', form: one!.id }, mia);
  const bulk = await served.domain.bulks.create(
    {
      ...{ verb: 'recheck', filter: '/recharges', isCut: true, reason: 'after the outage' },
      items: [{ subject: silent, amountMinor: 100n, currency: 'USD' }],
    },
    mia,
  );
  Object.assign(paths, {
    ...{ 'to assign': `/cases/${one!.id}/assign`, 'to set a due time': `/cases/${one!.id}/due` },
    ...{ 'to comment': `/cases/${one!.id}/comment`, 'to send out': `/cases/${one!.id}/send` },
    ...{ 'a bulk verb': `/bulk/${bulk}`, 'to start one': `/bulk/${bulk}/start` },
  });
  axe = await openAxe(served.url);
});
afterAll(async () => {
  await axe.close();
  await served.close();
});

const ofDesk = ['to assign', 'to set a due time', 'to comment', 'to send out', 'a bulk verb', 'to start one'];
const names = [...Object.keys(paths), 'a recharge', 'a question', 'a case', 'a verb', ...ofDesk];

test.each(
  names.flatMap((name) => [
    { name, scheme: 'light' as const, width: 1_440 },
    { name, scheme: 'dark' as const, width: 390 },
  ]),
)('axe finds nothing on the page of $name, $scheme, $width wide', async ({ name, scheme, width }) => {
  expect(await axe.findings(paths[name]!, scheme, width)).toEqual([]);
});
