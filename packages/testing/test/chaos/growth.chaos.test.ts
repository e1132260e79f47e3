import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { mix } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { openStage, type Stage, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

const RECHARGES = 500;
const RSS_MAX_MB = 200;
const names = ['sandbox', 'ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const;

let stage: Stage;
let fleet: Fleet;
let producer: Producer;

beforeAll(async () => {
  stage = await openStage();
  ({ fleet, producer } = stage);
});

afterAll(() => stage?.close());

/** The resident memory by the kernel's count. */
function rssMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1];
  return Math.round(Number(kilobytes) / 1024);
}

const measured = () => Object.fromEntries(names.map((name) => [name, rssMb(fleet.process(name).pid)]));

test(`${RECHARGES} recharges later, each process runs and has little memory`, async () => {
  await producer.fund();
  const before = measured();
  await producer.sendAll(mix(seed(), RECHARGES), 16);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
  const after = measured();
  process.stderr.write(`RSS in MB before ${JSON.stringify(before)}, after ${JSON.stringify(after)}\n`);
  expect(Object.entries(after).filter(([, megabytes]) => megabytes > RSS_MAX_MB)).toEqual([]);
  expect(names.map((name) => fleet.process(name).starts)).toEqual(names.map(() => 1));
});
