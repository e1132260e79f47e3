import { styleText } from 'node:util';
import { run } from './run.js';

// A reader that goes away (`| head`, a closed terminal) must not keep anything from being closed in order.
process.stdout.on('error', () => {});
process.exit(
  await run(process.argv.slice(2), {
    env: process.env,
    say: (line) => process.stdout.write(`${line}\n`),
    complain: (line) => process.stderr.write(`${line}\n`),
    terminal: process.stderr.isTTY ? process.stderr : undefined,
    // It keeps to NO_COLOR and FORCE_COLOR, and to whether the stream is a terminal.
    paint: (style, text) => styleText(style, text, { stream: process.stdout }),
  }),
);
