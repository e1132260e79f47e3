import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Domain, type NewRecharge, openDomain, type RechargeReport } from '@replenish/domain';
import { createLogger, newId } from '@replenish/runtime';
import { createDatabase, execute, newRecharge } from '@replenish/testing';
import express, { type Express, type Request, type RequestHandler, type Router } from 'express';
import type { People, Role } from '../../../src/pages/frame/people.js';
import { assetRoutes, consoleRoutes } from '../../../src/pages/routes.js';

export const CLIENT = '00000000-0000-7000-8000-00000000000a';

export type Got = Readonly<{ status: number; text: string; location: string | null; headers: Headers }>;

export interface ServedConsole {
  readonly url: string;
  readonly databaseUrl: string;
  readonly domain: Domain;
  readonly hints: readonly string[][];
  /** The paths that can be read, as the routes have them, in the order in which they are tried. */
  readonly paths: readonly string[];
  /** Reads a page as a person of this role. */
  get(path: string, role?: Role, headers?: Record<string, string>): Promise<Got>;
  /** Sends a form with its token. */
  send(path: string, fields: Record<string, string>, role?: Role, name?: string): Promise<Got>;
  /** A recharge with this news about it. Returns its id. */
  recharge(over?: Partial<NewRecharge>, ...news: readonly Said[]): Promise<string>;
  close(): Promise<void>;
}

export type Said = readonly [RechargeReport['news'], Partial<RechargeReport>?];

export const CODE = '123456';

/** Takes the person from headers, because these tests are about the pages and not about the login. */
const people: People = {
  currentUser: (request) => {
    const [name, role] = String(request.headers['x-person'] ?? '').split(':');
    return name && role ? { name, role: role as Role } : null;
  },
  requireRole:
    (...roles) =>
    (request, response, next) => {
      const role = people.currentUser(request)?.role;
      if (role === 'admin' || roles.some((one) => one === role)) return next();
      response.status(403).send('not allowed');
    },
  csrfToken: (request) => `token of ${request.headers['x-person']}`,
  requireCsrf: (request, response, next) => {
    if (fieldOf(request, '_csrf') === people.csrfToken(request)) return next();
    response.status(403).send('no token');
  },
  requireFreshCode: (request, response, next) => {
    if (fieldOf(request, 'code') === CODE) return next();
    response.status(403).send('no fresh code');
  },
  needsCode: () => true,
};

const fieldOf = (request: Request, name: string): unknown =>
  (request.body as Record<string, unknown> | undefined)?.[name];

/** The pages of the console on a new database. */
export async function openConsoleOnBooks(): Promise<ServedConsole> {
  const database = await createDatabase();
  const options = { databaseUrl: database.url, reconcileAfterMs: 60_000, providerTimeoutMs: 1_000 };
  const domain = openDomain(options);
  await execute(database.url, `insert into client (id, name, env) values ('${CLIENT}', 'shop', 'test')`);
  const hints: string[][] = [];
  const pages = pagesOf(domain, hints);
  const server = createServer(appOf(pages)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, databaseUrl: database.url, domain, hints, paths: pathsOf(pages), ...browserOf(url) },
    recharge: (over = {}, ...news) => recharged(domain, over, news),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await domain.close();
      await database.release();
    },
  };
}

/** Two accounts at one provider, and one at another. */
const accounts = ['sandbox main', 'stripe eu', 'stripe us'].map((one) => {
  const [provider, providerAccount] = one.split(' ') as [string, string];
  return { provider, providerAccount };
});

function appOf(pages: Router): Express {
  const noStore: RequestHandler = (_request, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  };
  return express().set('query parser', 'simple').use(noStore, assetRoutes(), pages);
}

const pathsOf = ({ stack }: Router): string[] =>
  stack.flatMap(({ route }) => (route && 'get' in methodsOf(route) ? [route.path] : []));

const methodsOf = (route: object): object => (route as { methods: object }).methods;

const pagesOf = (domain: Domain, hints: string[][]): Router =>
  consoleRoutes({
    ...{
      domain,
      people,
      accounts,
      names: ['sandbox', 'stripe'],
      environment: 'test',
      slaMs: 60_000,
      casesDueMs: 3_600_000,
    },
    ...{ isRefunding: () => true, cancels: () => true, onApproved: () => {}, now: () => new Date() },
    log: createLogger('test', 'silent'),
    queues: {
      depth: async () => [{ queue: 'webhooks', state: 'waiting', count: 3 }],
      hint: async (queue, ids) => Boolean(hints.push([queue, ...ids])),
    },
  });

function browserOf(url: string): Pick<ServedConsole, 'get' | 'send'> {
  const ask = async (path: string, init: RequestInit): Promise<Got> => {
    const answer = await fetch(url + path, { ...init, redirect: 'manual' });
    const { status, headers } = answer;
    return { status, headers, text: await answer.text(), location: headers.get('location') };
  };
  return {
    get: (path, role = 'operator', headers = {}) =>
      ask(path, { headers: { 'x-person': `mia:${role}`, ...headers } }),
    send: (path, fields, role = 'operator', name = 'mia') => {
      const person = `${name}:${role}`;
      const body = new URLSearchParams({ _csrf: `token of ${person}`, ...fields });
      return ask(path, { method: 'POST', headers: { 'x-person': person }, body });
    },
  };
}

async function recharged(domain: Domain, over: Partial<NewRecharge>, news: readonly Said[]): Promise<string> {
  const wanted = newRecharge({ id: newId(), clientId: CLIENT, ...over });
  const created = await domain.createRecharge(wanted);
  if (!created.ok) throw new Error(created.problem);
  for (const [heard, more] of news)
    await domain.applyNews({
      transactionId: wanted.id,
      news: heard,
      source: 'webhook',
      reason: 'as tested',
      ...more,
      ...(more?.providerOrderId && { providerOrderId: orderOf(wanted.id, more.providerOrderId) }),
    });
  return wanted.id;
}

/** The order of a recharge by a name that its reports have in common. No other recharge has this order. */
export const orderOf = (id: string, name: string): string => `${name}-of-${id}`;

/** For each kind of trouble, the reports that lead to it. */
export const troubles = {
  late: [['submit', { source: 'submission' }], ['declined'], ['settled', { providerOrderId: 'order-1' }]],
  absent: [
    ['submit', { source: 'submission' }],
    ['accepted', { providerOrderId: 'order-1' }],
    ['unknown', { source: 'poll', doubt: 'absent_order' }],
  ],
  wrongAmount: [
    ['submit', { source: 'submission' }],
    ['settled', { providerOrderId: 'order-2', money: { amountMinor: 90n, currency: 'USD' } }],
  ],
  silent: [
    ['submit', { source: 'submission' }],
    ['accepted', { providerOrderId: 'order-3' }],
  ],
} satisfies Record<string, readonly Said[]>;

/** The value of a hidden field of the form on a page. */
export const fieldIn = (page: Got, name: string): string => {
  const value = new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1];
  if (value === undefined) throw new Error(`the page has no field ${name}: ${page.text.slice(0, 300)}`);
  return value;
};

/** The addresses that a page links to. */
export const linksIn = ({ text }: Got): string[] =>
  [...text.matchAll(/href="([^"#]+)/g)].map(([, href]) => href!.replaceAll('&amp;', '&'));
