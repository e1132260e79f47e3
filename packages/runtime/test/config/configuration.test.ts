import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  BadConfiguration,
  readConfig,
  readTogether,
  settings,
  unknownSettings,
} from '../../src/config/read.js';

const read = (env: Record<string, string>) => readConfig({ REPLENISH_DIR: '/nowhere', ...env });

test.each([
  ['https://pay.example', 'https://pay.example'],
  ['https://pay.example/', 'https://pay.example'],
  ['https://pay.example/in//', 'https://pay.example/in'],
])('PUBLIC_URL %s is read as %s', (given, base) => {
  expect(read({ PUBLIC_URL: given }).PUBLIC_URL).toBe(base);
});

test('readTogether returns the values of all readers', () => {
  const [one, two] = readTogether(
    () => 1,
    () => 'two',
  );
  expect([one + 1, two.length]).toEqual([2, 3]);
});

test('readTogether reports all faults of the configuration together and throws other errors as they are', () => {
  const bad = (words: string) => () => {
    throw new BadConfiguration(words);
  };
  const fault = (() => {
    try {
      return readTogether(bad('no database'), () => 1, bad('no keys\nno proxy'));
    } catch (error) {
      return error;
    }
  })();
  expect(fault).toBeInstanceOf(BadConfiguration);
  expect((fault as Error).message).toBe('no database\nno keys\nno proxy');
  const broken = () => {
    throw new TypeError('broken');
  };
  expect(() => readTogether(bad('no database'), broken)).toThrow(TypeError);
});

test('a fault of the configuration has no stack trace', () => {
  expect(new BadConfiguration('no database').stack).toBeUndefined();
});

const production = { NODE_ENV: 'production' };

test.each([
  ['defaults', {}],
  ['defaults of production', production],
  ['the times of the fault tests', { RECONCILE_AFTER_MS: '1000', PROVIDER_TIMEOUT_MS: '2000' }],
  ['a long time limit of a call without a time of silence', { PROVIDER_TIMEOUT_MS: '120000' }],
  [
    'the smallest margin that production accepts',
    { ...production, RECONCILE_AFTER_MS: '33000', PROVIDER_TIMEOUT_MS: '30000' },
  ],
  [
    'ports that the system chooses',
    { INGRESS_PORT: '0', DASHBOARD_PORT: '0', METRICS_PORT: '0', SANDBOX_PORT: '0' },
  ],
  ['the highest range of metrics ports', { METRICS_PORT: '65528' }],
  [
    'in production, the ingress on the default port of the dashboard',
    { ...production, INGRESS_PORT: '8081' },
  ],
])('accepted: %s', (_, env) => {
  expect(() => read(env)).not.toThrow();
});

test.each([
  [
    { PROVIDER_TIMEOUT_MS: '120000', RECONCILE_AFTER_MS: '100' },
    ['RECONCILE_AFTER_MS=100', 'PROVIDER_TIMEOUT_MS=120000'],
  ],
  [
    { ...production, PROVIDER_TIMEOUT_MS: '30000', RECONCILE_AFTER_MS: '32999' },
    ['RECONCILE_AFTER_MS=32999'],
  ],
  [{ RECONCILE_PERIOD_MS: '3600000' }, ['RECONCILE_PERIOD_MS=3600000']],
  [{ ...production, RECONCILE_PERIOD_MS: '120001' }, ['RECONCILE_PERIOD_MS=120001']],
  [{ METRICS_PORT: '65534' }, ['METRICS_PORT=65534']],
  [{ INGRESS_PORT: '8081' }, ['INGRESS_PORT and DASHBOARD_PORT are both 8081']],
  [
    { ...production, INGRESS_PORT: '9000', DASHBOARD_PORT: '9000' },
    ['INGRESS_PORT and DASHBOARD_PORT are both 9000'],
  ],
  [{ SANDBOX_PORT: '8080' }, ['INGRESS_PORT and SANDBOX_PORT are both 8080']],
  [{ INGRESS_PORT: '9464' }, ['INGRESS_PORT=9464 is also METRICS_PORT + 0']],
  [{ DASHBOARD_PORT: '9468' }, ['DASHBOARD_PORT=9468 is also METRICS_PORT + 4']],
  [
    { LOG_LEVEL: 'loud', METRICS_PORT: '65534', RECONCILE_PERIOD_MS: '3600000', INGRESS_PORT: '8081' },
    ['LOG_LEVEL', 'METRICS_PORT=65534', 'RECONCILE_PERIOD_MS=3600000', 'both 8081'],
  ],
])('%j is refused, and all faults are named', (env, faults) => {
  const fault = (() => {
    try {
      return read(env as Record<string, string>);
    } catch (error) {
      return error;
    }
  })();
  expect(fault).toBeInstanceOf(BadConfiguration);
  for (const words of faults) expect((fault as Error).message).toContain(words);
});

test('clients have a limit of 6,000 requests per minute in production, unless another one is set', () => {
  const limitOf = (env: Record<string, string>) => read(env).RATE_LIMIT_PER_MINUTE;
  expect([limitOf(production), limitOf({})]).toEqual([6_000, undefined]);
  expect(limitOf({ ...production, RATE_LIMIT_PER_MINUTE: '50' })).toBe(50);
  expect(limitOf({ ...production, RATE_LIMIT_PER_MINUTE: '0' })).toBe(0);
  expect(() => limitOf({ RATE_LIMIT_PER_MINUTE: '-1' })).toThrow(BadConfiguration);
});

test.each([
  ['RECONCILE_AFTER', 'RECONCILE_AFTER_MS'],
  ['DASHBOARD_PROT', 'DASHBOARD_PORT'],
  ['PROVIDER_TIMEOUT_MS_MAX', 'PROVIDER_TIMEOUT_MS'],
  ['INGRES_PORT', 'INGRESS_PORT'],
  ['REDIS_URI', 'REDIS_URL'],
  ['MASTER_KEY', 'MASTER_KEY_FILE'],
  ['REPLENISH_SOMETHING', null],
])('%s is reported as unknown, with %s as the likely setting', (name, meant) => {
  expect(unknownSettings({ [name]: '1' })).toEqual([{ name, meant }]);
});

const MAIL = {
  NOTIFY_SMTP_URL: 'smtp://user:secret@mail.example',
  NOTIFY_EMAIL_FROM: 'a@pay.example',
  NOTIFY_EMAIL_TO: 'b@pay.example, c@pay.example',
};
test.each([
  ['a part of the mail', { NOTIFY_SMTP_URL: MAIL.NOTIFY_SMTP_URL }, 'NOTIFY_EMAIL_FROM and NOTIFY_EMAIL_TO'],
  ['a secret without its chat', { NOTIFY_FEISHU_SECRET: 's' }, 'NOTIFY_FEISHU_URL is not'],
  ['no console in production', { ...MAIL, NODE_ENV: 'production' }, 'CONSOLE_URL must be set'],
  [
    'a chat by plain HTTP in production',
    {
      NOTIFY_SLACK_URL: 'http://slack.example/token',
      CONSOLE_URL: 'https://c.example',
      NODE_ENV: 'production',
    },
    'NOTIFY_SLACK_URL must begin with https:',
  ],
  ['an address that is none', { ...MAIL, NOTIFY_EMAIL_TO: 'b@x\r\nBcc: d@x' }, 'list of e-mail addresses'],
])('notices to people are refused with %s, and no fault shows a secret', (_, env, words) => {
  const fault = (() => {
    try {
      return String(read(env as Record<string, string>));
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(fault).toContain(words);
  expect(fault).not.toMatch(/secret@|token/);
});

test('notices link to the console, whose address ends without a slash', () => {
  expect(read({ DASHBOARD_PORT: '9001' }).CONSOLE_URL).toBe('http://127.0.0.1:9001');
  expect(read({ ...MAIL, CONSOLE_URL: 'https://c.example/' }).CONSOLE_URL).toBe('https://c.example');
});

test('variables of other programs and real settings are not reported as unknown', () => {
  const others = [
    'PATH',
    'HOME',
    'HOST',
    'PORT',
    'REDIS_PORT_6379_TCP',
    'INGRESS_SERVICE_HOST',
    'PGHOST',
    'npm_config_cache',
  ];
  const names = [...others, ...Object.keys(settings), 'REPLENISH_DIR'];
  expect(unknownSettings(Object.fromEntries(names.map((name) => [name, '1'])))).toEqual([]);
});

test('docs/configuration.md names every setting, and nothing else', () => {
  const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('| variable'), page.indexOf('\n\n', page.indexOf('| variable')));
  const named = table
    .split('\n')
    .slice(2)
    .flatMap((row) => [...row.split(' | ')[0]!.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(named.toSorted()).toEqual([...Object.keys(settings), 'REPLENISH_DIR'].toSorted());
});
