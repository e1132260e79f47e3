import { createRequire } from 'node:module';
import { runInThisContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import pg from 'pg';

type Environment = Readonly<{ teardown: () => Promise<void> }>;

const require = createRequire(import.meta.url);
const GlobalScopeEnvironment: new (context: object) => Environment = require('../jest/environment.cjs');

test('a test file sees the packages that Node has loaded for its worker, and shares their global scope', () => {
  expect(process.mainModule?.require('pg')).toBe(pg);
  expect(runInThisContext('globalThis')).toBe(globalThis);
});

test('what a test file changes in the global scope, the process and its variables is put back', async () => {
  const [before, { exit }, { setTimeout: startTimer }] = [{ ...process.env }, process, globalThis];
  const ofThisFile = Object.getOwnPropertyDescriptors(globalThis);
  const environment = new GlobalScopeEnvironment({ projectConfig: { fakeTimers: {} } });
  process.env.PATH = '/nowhere';
  process.env.NEW_IN_THIS_FILE = 'yes';
  process.exit = (() => {}) as typeof exit;
  globalThis.setTimeout = (() => {}) as unknown as typeof startTimer;
  const openTelemetry = Symbol.for('opentelemetry.js.api.1');
  Reflect.set(globalThis, openTelemetry, {});
  const ended = environment.teardown();
  const left = Reflect.has(globalThis, openTelemetry);
  // The teardown of an environment restores the state of the file that runs, and that is this file.
  Object.defineProperties(globalThis, ofThisFile);
  await ended;
  expect(left).toBe(false);
  expect({ ...process.env }).toEqual(before);
  expect(process.exit).toBe(exit);
  expect(setTimeout).toBe(startTimer);
});
