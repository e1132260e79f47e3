import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ground } from '../support/launcher.js';

const ground = new Ground();
beforeAll(() => ground.prepare());
afterAll(() => ground.clear());

test('the start waits for an ingress with https, and the printed curl line reaches it', async () => {
  const at = (name: string) => join(ground.dir, name);
  const [cert, key] = [at('server.pem'), at('server.key')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'pipe' });
  Object.assign(ground.env, { TLS_CERT_FILE: cert, TLS_KEY_FILE: key });

  const launcher = ground.start(join(import.meta.dirname, 'fake', 'launcher.mjs'));
  await launcher.says('Ctrl-C ends it.');
  const url = `https://127.0.0.1:${ground.env.INGRESS_PORT}`;
  expect(launcher.output).toContain(`API        ${url}\n`);
  expect(ground.json('worker.env.json').PUBLIC_URL).toBe(url);
  const curl = launcher.output.split('\n').find((line) => line.startsWith('curl '))!;
  expect(spawnSync('sh', ['-c', curl], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '{}' });
});
