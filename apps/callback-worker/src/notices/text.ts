import { majorFromMinor, type Notice, type NoticeKind } from '@replenish/domain';
import { exponentOf } from '@replenish/domain/rules';

/** A message of plain text. Each channel gives it its own form. */
export type Message = Readonly<{ title: string; body: string }>;

// The most notices that a message lists. Chats cut long texts: DingTalk at 20,000 bytes, Slack at 40,000 characters.
// The console shows all notices.
const LISTED_MAX = 10;
const WORD_MAX = 100;
// The most characters of an operator's note.
const NOTE_MAX = 1_000;

/** One message about all notices, grouped by what they are about. Each line names amounts with their currency. */
export function messageOf(notices: readonly Notice[], consoleUrl: string): Message {
  const kinds = [...new Set(notices.map(({ kind }) => kind))];
  const groups = kinds.map((kind) =>
    groupOf(
      kind,
      notices.filter((one) => one.kind === kind),
      consoleUrl,
    ),
  );
  const [first] = groups;
  const title = groups.length === 1 ? first!.heading : `${notices.length} things need a look`;
  return { title: `Replenish: ${title}`, body: groups.map(({ text }) => text).join('\n\n') };
}

function groupOf(
  kind: NoticeKind,
  notices: readonly Notice[],
  consoleUrl: string,
): Readonly<{ heading: string; text: string }> {
  const { one, many, page, line, path } = forms[kind];
  const heading = notices.length === 1 ? one : `${notices.length} ${many}`;
  const listed = notices
    .slice(0, LISTED_MAX)
    .map(
      ({ content, at }) =>
        `- ${line(wordsOf(content))} (${at.toISOString().slice(0, 19)}Z)\n  ${consoleUrl}${path?.(content) ?? page}`,
    );
  const more = notices.length - listed.length;
  const rest = more > 0 ? [`- and ${more} more: ${consoleUrl}${page}`] : [];
  return { heading, text: [`${heading}:`, ...listed, ...rest].join('\n') };
}

type Words = Readonly<Record<string, string>> & Readonly<{ amountOf: (name: string) => string }>;

/** The owner of a cap: one rule, or what several rules have in common. */
function spenderOf({ scope, scopeName, accountId }: Words): string {
  if (scope === 'owner') return `the rules of client ${scopeName!.slice('owner '.length)}`;
  if (scope === 'source') return `the rules that ${scopeName!.slice('source '.length)} pays for`;
  return scope === 'fleet' ? 'all rules' : `the rule of ${accountId}`;
}

type NoticeForm = Readonly<{
  one: string;
  many: string;
  /** The console's page that lists what these notices are about. `path` is the page of a single one. */
  page: string;
  path?: (content: Notice['content']) => string;
  line: (words: Words) => string;
}>;

const caseFacts = (words: Words): string[] => [
  (words.caseKind ?? 'case').replaceAll('_', ' '),
  ...(words.amount === undefined ? [] : [words.amountOf('amount')]),
  ...(words.accountId === undefined ? [] : [words.accountId]),
];

const forms: Readonly<Record<NoticeKind, NoticeForm>> = {
  rule_due: {
    one: 'an account needs a recharge',
    many: 'accounts need a recharge',
    page: '/rules',
    path: ({ ruleId }) => `/rules/${ruleId}`,
    line: (words) =>
      `${words.accountId} has ${words.amountOf('balance')}, less than ${words.amountOf('below')}: ` +
      `recharge ${words.amountOf('amount')}`,
  },
  rule_paused: {
    one: 'a rule paused',
    many: 'rules paused',
    page: '/rules?status=paused',
    path: ({ ruleId }) => `/rules/${ruleId}`,
    line: ({ accountId, because }) => `the rule of ${accountId} paused: ${because}`,
  },
  rule_cap: {
    one: 'a cap of rules is used up',
    many: 'caps of rules are used up',
    page: '/rules',
    path: ({ ruleId }) => `/rules/${ruleId}`,
    line: (words) => {
      const window = words.cap?.includes('erMonth') ? 'month' : 'day';
      return words.cap?.startsWith('times')
        ? `${spenderOf(words)} made ${words.used} of ${words.limit} recharges per ${window} (${words.percent} %)`
        : `${spenderOf(words)} used ${words.amountOf('used')} of ${words.amountOf('limit')} ` +
            `per ${window} (${words.percent} %)`;
    },
  },
  approval_asked: {
    one: 'an approval is needed',
    many: 'approvals are needed',
    page: '/approvals',
    path: ({ approvalId }) => `/approvals/${approvalId}`,
    line: (words) =>
      [
        `a ${words.approvalKind} waits for a second person`,
        ...(words.amount === undefined ? [] : [words.amountOf('amount')]),
        ...(words.accountId === undefined ? [] : [words.accountId]),
      ].join(', '),
  },
  pool_short: {
    one: 'a source account is short of money',
    many: 'source accounts are short of money',
    page: '/providers',
    line: (words) =>
      `${words.provider} ${words.providerAccount} has ${words.amountOf('available')}, ` +
      `and ${words.waiting} deliveries wait for ${words.amountOf('amount')}`,
  },
  case_opened: {
    one: 'a case was opened',
    many: 'cases were opened',
    page: '/cases',
    path: ({ caseId }) => `/cases/${caseId}`,
    line: (words) => caseFacts(words).join(', '),
  },
  case_sent: {
    one: 'a case needs you',
    many: 'cases need you',
    page: '/cases',
    path: ({ caseId }) => `/cases/${caseId}`,
    line: (words) =>
      [...caseFacts(words), `open since ${words.openedAt} UTC`, `${words.by}: ${words.note}`].join(', '),
  },
};

/** Clients name accounts, so their words may not break lines or fill a message. */
function wordsOf(content: Notice['content']): Words {
  const words = Object.fromEntries(
    Object.entries(content).flatMap(([name, value]) =>
      value === null
        ? []
        : [[name, value.replace(/[\p{C}\p{Z}]+/gu, ' ').slice(0, name === 'note' ? NOTE_MAX : WORD_MAX)]],
    ),
  );
  const amountOf = (name: string) => amountText(words[name], words.currency);
  return { ...words, amountOf } as unknown as Words;
}

function amountText(minor: string | undefined, currency: string | undefined): string {
  if (minor === undefined || currency === undefined) return 'an unknown amount';
  const exponent = exponentOf(currency);
  if (exponent === null || exponent === undefined) return `${minor} ${currency} in minor units`;
  const isDebt = minor.startsWith('-');
  const major = majorFromMinor(BigInt(isDebt ? minor.slice(1) : minor), exponent);
  return `${isDebt ? '-' : ''}${major.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ',')} ${currency}`;
}
