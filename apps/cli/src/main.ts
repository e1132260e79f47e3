import { run } from './run.js';

// A reader that goes away (`| head`, a closed terminal) must not keep anything from being closed in order.
process.stdout.on('error', () => {});
process.exit(
  await run(process.argv.slice(2), {
    env: process.env,
    say: (line) => process.stdout.write(`${line}\n`),
    complain: (line) => process.stderr.write(`${line}\n`),
  }),
);
