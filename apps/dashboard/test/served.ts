import { randomBytes, scryptSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@replenish/runtime';
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
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  send(method: string, path: string, headers?: Record<string, string>): Promise<Response>;
  login(password: string, headers?: Record<string, string>): Promise<Response>;
  /** Signs in and returns the headers with the session cookie. */
  signIn(): Promise<{ cookie: string }>;
}

type Settings = Partial<Parameters<typeof openDashboard>[0]>;

export async function serveDashboard(settings: Settings = {}): Promise<ServedDashboard> {
  const { app, show } = openDashboard({
    passwordHash: cheapHash(PASSWORD),
    log,
    ...settings,
  });
  const served = await serve(app);
  const send = (method: string, path: string, headers: Record<string, string> = {}, body?: URLSearchParams) =>
    fetch(served.url + path, { method, headers, redirect: 'manual', ...(body ? { body } : {}) });
  const login = (password: string, headers = {}) =>
    send('POST', '/login', headers, new URLSearchParams({ password }));
  return {
    ...served,
    show,
    send,
    login,
    get: (path, headers) => send('GET', path, headers),
    signIn: async () => {
      const answer = await login(PASSWORD);
      return { cookie: answer.headers.getSetCookie()[0]!.split(';')[0]! };
    },
  };
}
