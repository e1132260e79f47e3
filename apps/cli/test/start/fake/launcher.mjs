// The launcher with two fake children, a real database and no migrations.
import { join } from 'node:path';
import { runFleet } from '../../../dist/start/fleet.js';

const specs = ['ingress', 'worker'].map((name) => ({
  name,
  entry: join(import.meta.dirname, `${name}.mjs`),
}));
const exitCode = await runFleet({
  env: process.env,
  say: (line) => process.stdout.write(`${line}\n`),
  specs,
  waitTellMs: Number(process.env.FAKE_WAIT_TELL_MS ?? 15_000),
  prepareEntry: join(import.meta.dirname, 'prepare.mjs'),
});
process.exit(exitCode);
