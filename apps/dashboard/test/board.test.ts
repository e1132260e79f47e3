import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openQueues, type Queues } from '@replenish/queues';
import { createDatabase, type TestDatabase } from '@replenish/testing';
import { openBoard } from '../src/queues/board.js';
import { log, type Served, type ServedDashboard, serve, serveDashboard } from './served.js';

type Route = { method: string | string[]; route: string };
// The routes come from the board itself, so a route that an update of the board adds is tested too.
const { appRoutes } = createRequire(import.meta.url)('@bull-board/api/dist/routes.js') as {
  appRoutes: { api: Route[] };
};

let database: TestDatabase;
let queues: Queues;
let dashboard: ServedDashboard;
let bare: Served;

const SECRET = 'sk_live_4242';
const MARKUP = '<img src=x onerror=alert(1)>';

beforeAll(async () => {
  database = await createDatabase({ migrated: false });
  queues = openQueues({ databaseUrl: database.url, log });
  await queues.hint('submission-sandbox', ['first', 'second']);
  const boards = await queues.boards();
  const webhooks = boards.find(({ name }) => name === 'webhooks')!;
  await webhooks.add('webhooks', { ids: ['evt-1'], token: SECRET } as never);
  await webhooks.add(MARKUP as never, { ids: [MARKUP] });
  dashboard = await serveDashboard();
  dashboard.show(boards);
  const board = openBoard('');
  board.show(boards);
  bare = await serve(board.handler as never);
});
afterAll(async () => {
  await dashboard.close();
  await bare.close();
  await queues.close();
  await database.release();
});

const changing = appRoutes.api.flatMap(({ method, route }) =>
  [method]
    .flat()
    .filter((one) => one !== 'get')
    .map((one) => ({
      method: one.toUpperCase(),
      path: route
        .replace(':queueName', 'submission-sandbox')
        .replace(':queueStatus', 'waiting')
        .replace(':schedulerId', 'due-rows')
        .replace(':jobId', '1'),
    })),
);

const state = async () => {
  const boards = await queues.boards();
  return {
    depth: await queues.depth(),
    paused: await Promise.all(boards.map((board) => board.isPaused())),
    jobs: (await boards[0]!.getJobs(['waiting'])).map((job) => [job.id, job.data, job.opts.delay]).sort(),
  };
};

test('the list of routes with other methods than GET is not empty', () => {
  expect(changing.length).toBeGreaterThan(15);
});

test.each(changing)('$method $path is refused and changes nothing', async ({ method, path }) => {
  const session = await dashboard.signIn();
  const before = await state();
  const answer = await dashboard.send(method, `/queues${path}`, session);
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(await state()).toEqual(before);
});

test.each(changing)(
  '$method $path on the board itself, without the login, changes nothing',
  async ({ method, path }) => {
    const before = await state();
    await fetch(bare.url + path, { method, body: '{}', headers: { 'content-type': 'application/json' } });
    expect(await state()).toEqual(before);
  },
);

test('an operator sees all queues, and only the ids of each job', async () => {
  const session = await dashboard.signIn();
  const answer = await dashboard.get(
    '/queues/api/queues?activeQueue=webhooks&status=waiting&page=1',
    session,
  );
  const text = await answer.text();
  const shown = (
    JSON.parse(text) as { queues: { name: string; readOnlyMode: boolean; jobs: { data: unknown }[] }[] }
  ).queues;
  expect(shown.map(({ name, readOnlyMode }) => [name, readOnlyMode]).sort()).toEqual([
    ['automation', true],
    ['callbacks', true],
    ['callbacks-slow', true],
    ['notices', true],
    ['reconciliation-sandbox', true],
    ['submission-sandbox', true],
    ['webhooks', true],
  ]);
  const jobs = shown.find(({ name }) => name === 'webhooks')!.jobs;
  expect(jobs.map(({ data }) => data)).toEqual(
    expect.arrayContaining([{ ids: ['evt-1'] }, { ids: [MARKUP] }]),
  );
  expect(jobs).toHaveLength(2);
  expect(text).not.toContain(SECRET);
});

test('the page of a job shows only its ids', async () => {
  const session = await dashboard.signIn();
  const list = '/queues/api/queues?activeQueue=webhooks&status=waiting&page=1';
  const { queues } = (await (await dashboard.get(list, session)).json()) as {
    queues: { name: string; jobs: { id: string; data: { ids: string[] } }[] }[];
  };
  const { jobs } = queues.find(({ name }) => name === 'webhooks')!;
  const { id } = jobs.find(({ data }) => data.ids.includes('evt-1'))!;
  const text = await (await dashboard.get(`/queues/api/queues/webhooks/${id}`, session)).text();
  expect(text).toContain('evt-1');
  expect(text).not.toContain(SECRET);
});

test('markup in a job, a queue or a path is never served as HTML', async () => {
  const session = await dashboard.signIn();
  const listed = await dashboard.get(
    '/queues/api/queues?activeQueue=webhooks&status=waiting&page=1',
    session,
  );
  expect(await listed.text()).toContain(MARKUP);
  expect(listed.headers.get('content-type')).toMatch(/^application\/json/);
  expect(listed.headers.get('x-content-type-options')).toBe('nosniff');
  const inUrl = encodeURIComponent(MARKUP);
  const paths = [
    `/queues/queue/${inUrl}`,
    `/queues/queue/webhooks/${inUrl}`,
    `/queues/?${inUrl}`,
    `/${inUrl}`,
  ];
  for (const path of [...paths, `/queues/api/queues/webhooks/${inUrl}`, `/login?${inUrl}`]) {
    const answer = await dashboard.get(path, { ...session, accept: 'text/html' });
    const isPage = /html/.test(answer.headers.get('content-type') ?? '');
    if (isPage) expect(await answer.text()).not.toContain('<img src=x');
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'(;|$)/);
  }
});

test('all scripts of the board are files of this server, as its security policy requires', async () => {
  const session = await dashboard.signIn();
  const html = await (await dashboard.get('/queues/', session)).text();
  const scripts = [...html.matchAll(/<script([^>]*)>/g)].map(([, attributes]) => attributes!);
  const running = scripts.filter((attributes) => !attributes.includes('application/json'));
  const sources = running.map((attributes) => /src="([^"]+)"/.exec(attributes)?.[1] ?? 'inline');
  const answers = await Promise.all(sources.map((source) => dashboard.get(`/queues/${source}`, session)));
  expect(answers.length).toBeGreaterThan(0);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
});

test('the pages of the board link to no other host, and the login has one main element and one heading', async () => {
  const session = await dashboard.signIn();
  const board = await (await dashboard.get('/queues/', session)).text();
  expect(board).toContain('Replenish queues');
  expect(board).not.toMatch(/(?:href|src)="https?:/);
  expect(JSON.parse(/id="__UI_CONFIG__"[^>]*>(.*?)<\/script>/s.exec(board)![1]!)).toMatchObject({
    hideDocsLink: true,
    hideRedisDetails: true,
    miscLinks: [
      { text: 'Back to the console', url: '/' },
      { text: 'Sign out', url: '/logout' },
    ],
  });
  const login = await (await dashboard.get('/login')).text();
  expect([login.match(/<main/g), login.match(/<h1/g)]).toEqual([['<main'], ['<h1']]);
  expect(login).not.toMatch(/user name|user:/i);
});
