// A child of the launcher: it reports that it is ready, ends when told to, or does what FAKE_<NAME> says.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { basename, join } from 'node:path';

const name = basename(process.argv[1], '.mjs');
const how = process.env[`FAKE_${name.toUpperCase()}`] ?? 'works';

if (how === 'hopeless') {
  process.stderr.write('SECRET_OF_NOBODY: required\n');
  process.exit(78);
}
process.on('SIGINT', () => {
  if (how === 'hears') process.exit(0);
});
process.on('SIGTERM', () => {
  if (how === 'slow') setTimeout(lookForTheDatabase, 700);
  else if (how !== 'stubborn') process.exit(0);
});
process.on('disconnect', () => process.exit(0));
if (name === 'ingress') {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } = process.env;
  let asked = 0;
  const answer = (_, response) => {
    asked += 1;
    if (how === 'waits' && asked < 20) {
      response.writeHead(503);
      response.end(JSON.stringify({ ok: false, checks: { database: 'ok', queue: 'away' } }));
    } else response.end('{}');
  };
  const server = cert
    ? createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer)
    : createServer(answer);
  if (how === 'waits') await new Promise((resolve) => setTimeout(resolve, 1_000));
  await new Promise((resolve) => server.listen(Number(process.env.INGRESS_PORT), '127.0.0.1', resolve));
}
writeFileSync(join(process.env.REPLENISH_DIR, `${name}.pid`), String(process.pid));
writeFileSync(join(process.env.REPLENISH_DIR, `${name}.env.json`), JSON.stringify(process.env));
process.send({ ready: name, detail: `as ${name}` });

function lookForTheDatabase() {
  const isThere = existsSync(join(process.env.REPLENISH_DIR, 'data', 'postmaster.pid'));
  writeFileSync(join(process.env.REPLENISH_DIR, 'worker.last-words'), isThere ? 'still there' : 'gone');
  process.exit(0);
}
