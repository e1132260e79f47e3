import { randomBytes, scryptSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Domain, type OperatorRole, openDomain } from '@replenish/domain';
import { createLogger } from '@replenish/runtime';
import { createDatabase, type TestDatabase } from '@replenish/testing';
import { type TOTP, URI } from 'otpauth';
import { openDashboard } from '../src/dashboard.js';

export const log = createLogger('test', 'silent');
export const PASSWORD = 'correct horse';

/** A hash in the real format, at a thousandth of the real cost. */
export const cheapHash = (password: string): string => {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 128, r: 8, p: 1 });
  return `scrypt$128$8$1$${salt.toString('base64')}$${key.toString('base64')}`;
};

export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

export async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface ServedDashboard extends Served {
  readonly show: ReturnType<typeof openDashboard>['show'];
  readonly domain: Domain;
  readonly database: TestDatabase;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  send(
    method: string,
    path: string,
    headers?: Record<string, string>,
    fields?: Record<string, string>,
  ): Promise<Response>;
  /** Sends the login form, as the viewer `ada` unless the fields say otherwise. */
  login(
    password: string,
    headers?: Record<string, string>,
    fields?: Record<string, string>,
  ): Promise<Response>;
  /** Signs in and returns the headers with the session cookie. */
  signIn(): Promise<{ cookie: string }>;
  /** Creates a user with PASSWORD. */
  person(name: string, role: OperatorRole): Promise<Person>;
}

/** A user of the console, as the tests know them. */
export interface Person {
  readonly name: string;
  /** A code that was not used before. The clock of the domain goes on by a step. */
  code(): string;
  /** Signs in. The headers carry the session and the token of its forms. */
  signIn(): Promise<{ cookie: string; 'x-csrf-token': string }>;
}

type Settings = Partial<Parameters<typeof openDashboard>[0]>;

const MASTER_KEYS = `test:${Buffer.alloc(32, 7).toString('base64')}`;
const STEP_MS = 30_000;
const noQueues = { depth: async () => [], hint: async () => true };
export const cookieIn = (answer: Response): string => answer.headers.getSetCookie()[0]!.split(';')[0]!;

function openApp(databaseUrl: string, settings: Settings, now: () => Date) {
  const domain = openDomain({
    ...{ databaseUrl, poolMax: 4, masterKeys: MASTER_KEYS, now },
    ...{ reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 },
  });
  const dashboard = openDashboard({
    domain,
    log,
    queues: noQueues,
    names: ['sandbox'],
    accounts: [{ provider: 'sandbox', providerAccount: 'main' }],
    environment: 'test',
    slaMs: 60_000,
    casesDueMs: 3_600_000,
    isRefunding: () => true,
    cancels: () => true,
    ...settings,
  });
  return { domain, ...dashboard };
}

export async function serveDashboard(settings: Settings = {}): Promise<ServedDashboard> {
  const database = await createDatabase();
  let nowMs = Date.now();
  const { domain, app, show } = openApp(database.url, settings, () => new Date(nowMs));
  const served = await serve(app);
  const send: ServedDashboard['send'] = (method, path, headers = {}, fields) =>
    fetch(served.url + path, {
      ...{ method, headers, redirect: 'manual' },
      ...(fields ? { body: new URLSearchParams(fields) } : {}),
    });
  const login: ServedDashboard['login'] = (password, headers = {}, fields = {}) =>
    send('POST', '/login', headers, { username: 'ada', password, ...fields });
  const by = { actor: 'test', role: 'command_line' };
  const person = async (name: string, role: OperatorRole): Promise<Person> => {
    const made = await domain.operators.create({ name, role, passwordHash: cheapHash(PASSWORD) }, by);
    const code = (): string => {
      if (!made?.totpUri) return '';
      nowMs += STEP_MS;
      return (URI.parse(made.totpUri) as TOTP).generate({ timestamp: nowMs });
    };
    return {
      ...{ name, code },
      signIn: async () => {
        const cookie = cookieIn(await login(PASSWORD, {}, { username: name, code: code() }));
        const session = await (await send('GET', '/v1/session', { cookie })).json();
        return { cookie, 'x-csrf-token': session.csrfToken };
      },
    };
  };
  await person('ada', 'viewer');
  return {
    ...{ ...served, show, send, login, domain, database, person },
    get: (path, headers) => send('GET', path, headers),
    signIn: async () => ({ cookie: cookieIn(await login(PASSWORD)) }),
    close: async () => {
      await served.close();
      await domain.close();
      await database.release();
    },
  };
}
