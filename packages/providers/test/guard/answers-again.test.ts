import { expect, test } from '@jest/globals';
import { anOrder } from '../support/builders.js';
import {
  accepts,
  breaks,
  guarded,
  isBusy,
  open,
  quick,
  server,
  submitTimes,
} from '../support/guard-bench.js';
import { says } from '../support/scripted-server.js';

/** One attempt per call, so that each failure counts once. */
const limits = { ...quick, attemptsMax: 1 };

function openCounting() {
  const notices = { count: 0 };
  open(breaks, {
    limits,
    onAnswersAgain: () => {
      notices.count++;
    },
  });
  return notices;
}

test('the first answer after three silent calls is reported once', async () => {
  const notices = openCounting();
  await submitTimes(3);
  expect(notices.count).toBe(0);
  server.play(accepts);
  await submitTimes(2);
  expect(notices.count).toBe(1);
});

test('submits and queries count together, and a refusal is an answer', async () => {
  const notices = openCounting();
  await submitTimes(1);
  server.play(isBusy);
  await guarded.find(anOrder());
  await submitTimes(1);
  server.play(says(422, { code: 'invalid_parameter' }));
  await submitTimes(1);
  expect(notices.count).toBe(1);
});

test('an answer after two silent calls is not reported', async () => {
  const notices = openCounting();
  for (let n = 0; n < 3; n++) {
    server.play(breaks);
    await submitTimes(2);
    server.play(accepts);
    await submitTimes(1);
  }
  expect(notices.count).toBe(0);
});

test('a provider that fails and recovers repeatedly is reported once per ten seconds at most', async () => {
  const notices = openCounting();
  for (let n = 0; n < 3; n++) {
    server.play(breaks);
    await submitTimes(3);
    server.play(accepts);
    await submitTimes(1);
  }
  expect(notices.count).toBe(1);
});
