import { expect, test } from '@jest/globals';
import { canaryRefusals, newsOfCancel, newsOfQuery, newsOfSubmit, refusalOf } from '@replenish/assembly';
import { filedText } from '../../src/pages/frame/filed.js';
import { sayIn } from '../../src/pages/frame/words.js';
import { englishIn } from './support/english.js';

const [zh, en] = [sayIn('zh'), sayIn('en')];

const facts = { providerOrderId: 'o-7', accountId: null, amountMinor: 7n, currency: 'USD' };
const asked = {
  ...{ state: 'PENDING_CONFIRMATION', confirmation: 'acknowledged', provider: 'sandbox' },
  ...{ submits: null, scans: [], now: new Date() },
  promises: { idempotentSubmit: true, queryByReference: true },
} as unknown as Parameters<typeof newsOfQuery>[1];

const unknownCauses = ['timeout', 'disconnected', 'server_error', 'unreadable', 'unproven'] as const;
const otherCauses = ['unreachable', 'rate_limited', 'unavailable', 'too_late', 'source_funds'] as const;
const unsure = [
  ...unknownCauses.map((cause) => ({ kind: 'unknown', cause }) as const),
  ...otherCauses.map((cause) => ({ kind: 'not_executed', cause }) as const),
];
const statuses = ['pending', 'settled', 'declined', 'canceled'] as const;

const told = [
  newsOfSubmit({ kind: 'accepted', providerOrderId: 'o-7' }, 'sandbox'),
  newsOfSubmit({ kind: 'settled', ...facts }, 'sandbox'),
  newsOfSubmit({ kind: 'rejected', code: 'no_7', message: '7' }, 'sandbox'),
  ...unsure.map((outcome) => newsOfSubmit(outcome, 'sandbox')),
  ...statuses.map((status) => newsOfQuery({ kind: 'found', status, ...facts }, asked)),
  newsOfQuery({ kind: 'absent' }, asked),
  newsOfQuery({ kind: 'several', count: 2 }, asked),
  ...unsure.map((outcome) => newsOfQuery(outcome, asked)),
  newsOfCancel({ kind: 'canceled' }, 'sandbox'),
  newsOfCancel({ kind: 'settled', ...facts }, 'sandbox'),
  newsOfCancel({ kind: 'pending' }, 'sandbox'),
  newsOfCancel({ kind: 'still_payable', until: null }, 'sandbox'),
].map(({ reason }) => reason);

test.each([...new Set(told)])('the reason "%s" is told in Chinese, and as it is in English', (reason) => {
  expect(englishIn(filedText(reason, zh))).toEqual([]);
  const isCode = / says: pending$/.test(reason);
  expect(filedText(reason, en)).toBe(isCode ? 'sandbox says: payment under way' : reason);
});

test.each([...Object.values(canaryRefusals), ...Object.values(refusalOf)].map(({ message }) => message))(
  'the refusal "%s" of a line is told in Chinese',
  (message) => {
    expect(englishIn(filedText(message, zh))).toEqual([]);
  },
);

test.each([
  ['adopt by mia: on the statement', 'mia 决定入账：on the statement'],
  ['resubmit by mia: lost (order o-7 is given up)', 'mia 决定再次发送：lost（放弃订单 o-7）'],
  ['canceled by mia: ordered twice', 'mia 取消：ordered twice'],
  ['given to admin', '转给 admin'],
  ['due 2026-11-29T10:15:00.000Z', '2026-11-29 10:15 UTC'],
  ['role operator, by single sign-on', '角色：操作员，通过单点登录'],
  ['bulk recheck 7', '批量操作“询问渠道” 7'],
  ['sandbox event msg_7: pending', 'sandbox 事件 msg_7：付款进行中'],
])('%s', (text, words) => {
  expect(filedText(text, zh)).toBe(words);
});

test.each(['from the bank', 'unknown', 'they settled it', 'a plan of ours failed: see the mail'])(
  'what a person wrote stays as it is: %s',
  (text) => {
    expect(filedText(text, zh)).toBe(text);
  },
);
