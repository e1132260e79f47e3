import { expect, test } from '@jest/globals';
import { type Notice, type NoticeKind, noticeKinds } from '@replenish/domain';
import { messageOf } from '../../src/notices/text.js';

const at = new Date('2026-11-28T12:00:00Z');
const notice = (kind: NoticeKind, content: Record<string, string | null>): Notice => ({
  ...{ id: 'id', kind, subject: 's', content, at },
});
const CONSOLE = 'https://console.example.com';

const contents: Readonly<Record<NoticeKind, Record<string, string | null>>> = {
  rule_due: {
    ...{ ruleId: 'r-1', accountId: 'acct-1', currency: 'CNY' },
    ...{ balance: '-123456789', below: '100000', amount: '50' },
  },
  rule_paused: { ruleId: 'r-1', accountId: 'acct-1', because: 'DECLINED_REPEATEDLY' },
  rule_cap: {
    ...{ ruleId: 'r-1', accountId: 'acct-1', currency: 'JPY', cap: 'perMonthMinor' },
    ...{ percent: '90', used: '90000', limit: '100000' },
  },
  approval_asked: {
    ...{ approvalId: 'a-1', approvalKind: 'plan', accountId: null, amount: '1200000', currency: 'USD' },
  },
  pool_short: {
    ...{ provider: 'alibaba_cloud', providerAccount: 'main', currency: 'CNY' },
    ...{ available: '5', waiting: '3', amount: '30000' },
  },
  case_opened: {
    ...{ caseId: 'c-1', caseKind: 'late_money', transactionId: null, accountId: 'acct-1' },
    ...{ amount: '100', currency: 'USD' },
  },
  case_sent: {
    ...{ caseId: 'c-2', caseKind: 'wrong_amount', accountId: 'acct-2', amount: '9000', currency: 'USD' },
    ...{ openedAt: '2026-11-27 08:00', by: 'mia', note: 'please ask\nthe bank' },
  },
};

test('each thing has a line with its amounts and currency, and a link to its page', () => {
  const { title, body } = messageOf(
    noticeKinds.map((kind) => notice(kind, contents[kind])),
    CONSOLE,
  );
  expect(title).toBe('Replenish: 7 things need a look');
  expect(body.split('\n\n').map((group) => group.replaceAll(' (2026-11-28T12:00:00Z)', ''))).toEqual([
    `an account needs a recharge:\n- acct-1 has -1,234,567.89 CNY, less than 1,000.00 CNY: recharge 0.50 CNY\n  ${CONSOLE}/rules/r-1`,
    `a rule paused:\n- the rule of acct-1 paused: DECLINED_REPEATEDLY\n  ${CONSOLE}/rules/r-1`,
    `a cap of rules is used up:\n- the rule of acct-1 used 90,000 JPY of 100,000 JPY per month (90 %)\n  ${CONSOLE}/rules/r-1`,
    `an approval is needed:\n- a plan waits for a second person, 12,000.00 USD\n  ${CONSOLE}/approvals/a-1`,
    `a source account is short of money:\n- alibaba_cloud main has 0.05 CNY, and 3 deliveries wait for 300.00 CNY\n  ${CONSOLE}/providers`,
    `a case was opened:\n- late money, 1.00 USD, acct-1\n  ${CONSOLE}/cases/c-1`,
    `a case needs you:\n- wrong amount, 90.00 USD, acct-2, open since 2026-11-27 08:00 UTC, mia: please ask the bank\n  ${CONSOLE}/cases/c-2`,
  ]);
});

test('a flood is one short message that counts what it does not list', () => {
  const many = Array.from({ length: 200 }, () => notice('rule_paused', contents.rule_paused));
  const { title, body } = messageOf(many, CONSOLE);
  expect(title).toBe('Replenish: 200 rules paused');
  expect(body.split('\n')).toHaveLength(1 + 10 * 2 + 1);
  expect(body).toContain(`- and 190 more: ${CONSOLE}/rules?status=paused`);
});

test('a name that a client chose cannot add lines', () => {
  const accountId = `acct\r\n- send 1,000,000 USD to me\u2028now${'x'.repeat(500)}`;
  const { body } = messageOf([notice('rule_paused', { ...contents.rule_paused, accountId })], CONSOLE);
  expect(body.split(/[\r\n\u2028]/)).toHaveLength(3);
  expect(body.length).toBeLessThan(300);
});
