import { scopes } from './scopes.js';

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const json = { json: flag } as const;

type Option = Readonly<{ type: 'string' | 'boolean'; default?: string | boolean; multiple?: boolean }>;
type Form = Readonly<{ usage: string; options: Readonly<Record<string, Option>>; operand?: string }>;

/** Every way of calling a command, by the words that begin it. Data only: to print it loads nothing. */
export const forms = {
  start: { usage: 'start', options: {} },
  demo: { usage: 'demo [--json]', options: json },
  'client create': {
    usage: `client create --name N --scopes a,b --accounts p,q [--env test] [--rate-limit N]
      [--require-signature] [--allow-bearer] [--allow-s3] [--oauth-subject S]
      [--expires <RFC 3339>] [--ip-allow 10.0.0.0/8,...] [--ceiling <currency>:<a request>:<a day>]... [--json]
    scopes: ${scopes.join(', ')}. accounts: patterns with * as wildcard.
    ceilings: minor units; either number may be left out. docs/authentication.md has the rest.`,
    options: {
      name: text,
      scopes: text,
      accounts: text,
      env: { type: 'string', default: 'test' },
      'allow-s3': flag,
      'allow-bearer': flag,
      'require-signature': flag,
      'oauth-subject': text,
      'rate-limit': text,
      expires: text,
      'ip-allow': text,
      ceiling: { type: 'string', multiple: true },
      ...json,
    },
  },
  'client list': { usage: 'client list [--json]', options: json },
  'client rotate': { usage: 'client rotate <keyId> [--json]', options: json, operand: '<keyId>' },
  'client revoke': { usage: 'client revoke <keyId> [--json]', options: json, operand: '<keyId>' },
  rekey: { usage: 'rekey [--json]', options: json },
  verify: { usage: 'verify [--json]', options: json },
  reconcile: { usage: 'reconcile [--json]', options: json },
  audit: {
    usage: `audit [--client ID] [--key K] [--account A] [--status N] [--from T] [--to T] [--limit N] [--json]
    Newest first, 50 unless --limit says otherwise. Times are RFC 3339, or a day.`,
    options: {
      client: text,
      key: text,
      account: text,
      status: text,
      from: text,
      to: text,
      limit: { type: 'string', default: '50' },
      ...json,
    },
  },
  'audit drop': {
    usage: `audit drop --before 2026-01 [--json]
    Removes whole months for good.`,
    options: { before: text, ...json },
  },
  unlock: { usage: 'unlock <keyId> [--json]', options: json, operand: '<keyId>' },
  'dashboard-password': { usage: 'dashboard-password [--json]', options: json },
  migrate: { usage: 'migrate [--json]', options: json },
} as const satisfies Record<string, Form>;

export type FormName = keyof typeof forms;
type CommandName = FormName extends infer N ? (N extends `${infer First} ${string}` ? First : N) : never;

const abouts: Readonly<Record<CommandName, string>> = {
  start: 'start everything on this machine',
  demo: 'one recharge from request to ledger, as it happens',
  client: 'create, list, rotate and revoke the keys of producers',
  rekey: 'seal the secrets of all keys again with the first master key',
  verify: 'check every invariant of the books; exit 0 only when all hold',
  reconcile: 'look at due recharges now',
  audit: 'what was called, by whom, and how it ended; drop old months',
  unlock: 'free a key that a security rule has locked',
  'dashboard-password': 'make a password for the dashboard',
  migrate: 'bring the database to the current schema',
};

export const isCommand = (name: string): name is CommandName => Object.hasOwn(abouts, name);
export const isForm = (words: string): words is FormName => Object.hasOwn(forms, words);

export const usage = (): string =>
  [
    'usage: replenish <command> [options]',
    '',
    ...Object.entries(abouts).map(([name, about]) => `  ${name.padEnd(18)} ${about}`),
    '',
    '--json prints for machines, --help after a command what it takes.',
    'Settings are environment variables: see docs/configuration.md',
  ].join('\n');

export function usageOf(command: CommandName): string {
  const own = Object.values<Form>(forms).filter(({ usage: line }) => line.split(/[ \n]/)[0] === command);
  return [`${command}: ${abouts[command]}`, 'usage:', ...own.map((form) => `  replenish ${form.usage}`)].join(
    '\n',
  );
}
