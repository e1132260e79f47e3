import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { log, type ServedDashboard, serveDashboard } from './served.js';

let dashboard: ServedDashboard;
const logged = jest.spyOn(log, 'error');
const printed = jest.spyOn(console, 'error').mockImplementation(() => {});

beforeEach(async () => {
  dashboard = await serveDashboard();
});
afterEach(async () => {
  logged.mockClear();
  printed.mockClear();
  await dashboard.close();
});

const form = 'application/x-www-form-urlencoded';

test.each([
  ['an unsupported charset', 415, `${form}; charset=utf-16`, {}, 'password=x'],
  ['a body beyond 64 kB', 413, form, {}, `password=${'x'.repeat(70_000)}`],
  ['gzip that is none', 400, form, { 'content-encoding': 'gzip' }, 'password=x'],
])('%s is answered without details', async (_what, status, type, headers, body) => {
  const url = `${dashboard.url}/login`;
  const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': type, ...headers } });
  const text = await answer.text();
  expect(answer.status).toBe(status);
  expect(JSON.parse(text)).toEqual({ error: 'the request is not valid' });
  expect([logged.mock.calls, printed.mock.calls]).toEqual([[], []]);
});

test('an internal error is logged, and answered without details', async () => {
  const operators = { ...dashboard.domain.operators, beginAttempt: () => Promise.reject(new Error('away')) };
  const broken = await serveDashboard({ domain: { ...dashboard.domain, operators } });
  const answer = await broken.login('any');
  const text = await answer.text();
  await broken.close();
  expect(answer.status).toBe(500);
  expect(JSON.parse(text)).toEqual({ error: 'unexpected error; see the log of the dashboard' });
  expect(logged).toHaveBeenCalledWith(expect.objectContaining({ err: expect.any(Error) }), 'request failed');
  expect(printed).not.toHaveBeenCalled();
});
