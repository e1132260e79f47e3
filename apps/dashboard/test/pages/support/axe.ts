import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export type AxeFinding = Readonly<{ id: string; impact: string; help: string; nodes: readonly string[] }>;

export interface Axe {
  /** What axe-core finds on a page, seen in a browser with these colours and this width. */
  findings(path: string, scheme: 'light' | 'dark', width: number): Promise<AxeFinding[]>;
  close(): Promise<void>;
}

const RUN = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => {
  const found = violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map((one) => one.html) }));
  const result = document.createElement('script');
  result.type = 'application/json';
  result.id = 'axe-result';
  result.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(found))));
  document.body.append(result);
});`;

/**
 * Serves the pages of a console again, as a person with all rights sees them, with axe-core at their end.
 * @param url the address of the console
 */
export async function openAxe(url: string): Promise<Axe> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const server = createServer(async (request, response) => {
    const answer = await fetch(url + request.url, { headers: { 'x-person': 'mia:admin' } });
    const type = answer.headers.get('content-type') ?? '';
    const text = await answer.text();
    response.setHeader('content-type', type);
    response.end(
      type.startsWith('text/html') ? `${text}<script>${source}</script><script>${RUN}</script>` : text,
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    findings: (path, scheme, width) => seenIn(`${addressOf(server)}${path}`, scheme, width),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function seenIn(address: string, scheme: 'light' | 'dark', width: number): Promise<AxeFinding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'axe-'));
  const options = [
    ...[
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--user-data-dir=${folder}`,
      `--window-size=${width},900`,
    ],
    ...[`--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`, '--virtual-time-budget=20000'],
  ];
  try {
    const { stdout } = await promisify(execFile)('chromium', [...options, '--dump-dom', address], {
      maxBuffer: 64_000_000,
      timeout: 60_000,
    });
    const [, result] = /id="axe-result">([^<]*)</.exec(stdout) ?? [];
    if (result === undefined) throw new Error(`axe did not run on ${address}: ${stdout.slice(0, 500)}`);
    return JSON.parse(Buffer.from(result, 'base64').toString('utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
