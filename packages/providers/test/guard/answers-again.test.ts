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

/** One attempt per call, so that the test counts calls. */
const limits = { ...quick, attemptsMax: 1 };

function openCounting() {
  const told = { times: 0 };
  open(breaks, {
    limits,
    onAnswersAgain: () => {
      told.times++;
    },
  });
  return told;
}

test('an answer after three silent calls is told once', async () => {
  const told = openCounting();
  await submitTimes(3);
  expect(told.times).toBe(0);
  server.play(accepts);
  await submitTimes(2);
  expect(told.times).toBe(1);
});

test('calls of both kinds count together, and a refusal is an answer', async () => {
  const told = openCounting();
  await submitTimes(1);
  server.play(isBusy);
  await guarded.find(anOrder());
  await submitTimes(1);
  server.play(says(422, { code: 'invalid_parameter' }));
  await submitTimes(1);
  expect(told.times).toBe(1);
});

test('an answer after two silent calls is told to nobody', async () => {
  const told = openCounting();
  for (let n = 0; n < 3; n++) {
    server.play(breaks);
    await submitTimes(2);
    server.play(accepts);
    await submitTimes(1);
  }
  expect(told.times).toBe(0);
});

test('a provider that goes and comes is told once per ten seconds at most', async () => {
  const told = openCounting();
  for (let n = 0; n < 3; n++) {
    server.play(breaks);
    await submitTimes(3);
    server.play(accepts);
    await submitTimes(1);
  }
  expect(told.times).toBe(1);
});
