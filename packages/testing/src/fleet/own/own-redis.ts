import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../until.js';
import { freePort } from '../machine.js';

const START_LIMIT_MS = 20_000;

/** A redis-server or a sentinel for one test, from the package that is installed on the machine. */
export class OwnRedis {
  readonly #child: ChildProcess;
  readonly #dir: string;

  readonly #password: string | undefined;

  private constructor(
    readonly port: number,
    child: ChildProcess,
    dir: string,
    settings: readonly string[],
  ) {
    this.#child = child;
    this.#dir = dir;
    this.#password = settings.map((line) => /^requirepass (\S+)$/.exec(line)?.[1]).find(Boolean);
  }

  /** @param settings further lines of redis.conf. The port is on 127.0.0.1, and nothing is saved to the disk */
  static async open(settings: readonly string[] = [], port?: number): Promise<OwnRedis> {
    return OwnRedis.#start(
      'redis-server',
      ['save ""', 'appendonly no', 'repl-diskless-sync-delay 0', ...settings],
      port,
    );
  }

  static async openSentinel(settings: readonly string[]): Promise<OwnRedis> {
    return OwnRedis.#start('redis-sentinel', settings);
  }

  static async #start(program: string, settings: readonly string[], wanted?: number): Promise<OwnRedis> {
    const port = wanted ?? (await freePort());
    const dir = mkdtempSync(join(tmpdir(), 'replenish-own-redis-'));
    const file = join(dir, 'redis.conf');
    const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, 'daemonize no', ...settings];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const child = spawn(program, [file], { stdio: 'ignore' });
    child.on('error', () => {});
    const redis = new OwnRedis(port, child, dir, settings);
    const answers = async () => (await redis.command('PING')).includes('+PONG');
    await until(answers, { limitMs: START_LIMIT_MS }, `${program} answers`).catch(async (error: Error) => {
      await redis.close();
      throw error;
    });
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Sends one command on a new connection. Returns the answer in Redis's own format. */
  async command(text: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    const signIn = this.#password === undefined ? '' : `AUTH ${this.#password}\r\n`;
    socket.end(`${signIn}${text}\r\nQUIT\r\n`);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  /** Stops answering without closing a connection, like a machine whose network fails. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Kills the server as `kill -9` does. */
  async close(): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

export type MovableAddress = Readonly<{
  port: number;
  /** From now on new connections go to this port. Open connections stay as they are. */
  leadTo: (port: number) => void;
  close: () => void;
}>;

/** An address that can be moved from one server to another. It simulates a failover that closes no connection. */
export async function openMovableAddress(port: number): Promise<MovableAddress> {
  let target = port;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    }
    near.pipe(far).on('close', () => near.destroy());
    far.pipe(near).on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (next) => {
      target = next;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
