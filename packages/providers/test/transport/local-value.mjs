import { executionAsyncId } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalValue } from '../../dist/transport/local-value.js';

// Prints what work finds while other work ends before it, and whether the process runs a hook for each promise after
// all work: with a hook, each continuation has an id of its own.
const value = new LocalValue();
const long = value.run('long', async () => {
  await sleep(20);
  return value.get();
});
const short = await value.run('short', async () => value.get());
const outside = value.get() ?? null;
const found = { short, outside, long: await long };
await value.run('broken', () => Promise.reject(new Error('no'))).catch(() => {});
await null;
const first = executionAsyncId();
await null;
const isHooked = executionAsyncId() !== first;
process.stdout.write(JSON.stringify({ ...found, after: value.get() ?? null, isHooked }));
