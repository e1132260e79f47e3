import { styleText } from 'node:util';
import { run } from './run.js';

// When the reader of the output goes away (`| head`, a closed terminal), the command still has to close what it
// opened.
process.stdout.on('error', () => {});
const written = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write('', () => resolve()));

const exitCode = await run(process.argv.slice(2), {
  env: process.env,
  say: (line) => process.stdout.write(`${line}\n`),
  written: () => written(process.stdout),
  complain: (line) => process.stderr.write(`${line}\n`),
  terminal: process.stderr.isTTY ? process.stderr : undefined,
  // `styleText` follows NO_COLOR, FORCE_COLOR and whether the stream is a terminal.
  paint: (style, text) => styleText(style, text, { stream: process.stdout }),
});
// A pipe holds some 64 kB that its reader has not taken yet. Node keeps what is beyond that, and `process.exit` would
// drop it.
await Promise.all([process.stdout, process.stderr].map(written));
process.exit(exitCode);
