import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/fleet/machine.js';
import { until } from '../../src/until.js';

const START_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** An alert that is pending or firing, as Prometheus shows it. */
export type ShownAlert = Readonly<{
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  state: 'pending' | 'firing';
}>;

/** A Prometheus for one test, from the package that is installed on the machine. It scrapes every two seconds. */
export class OwnPrometheus {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #url: string;
  readonly #looks: NodeJS.Timeout;
  /** The alerts that were seen firing, by name. An alert may end before a test asks for it. */
  readonly fired = new Map<string, ShownAlert>();

  private constructor(child: ChildProcess, dir: string, url: string) {
    this.#child = child;
    this.#dir = dir;
    this.#url = url;
    this.#looks = setInterval(() => void this.active().catch(() => []), LOOK_EVERY_MS);
  }

  static async open(rules: string, metricsPorts: readonly number[]): Promise<OwnPrometheus> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), 'replenish-own-prometheus-'));
    writeFileSync(join(dir, 'rules.yml'), rules);
    writeFileSync(join(dir, 'prometheus.yml'), settings(metricsPorts));
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(dir, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    child.on('error', () => {});
    const prometheus = new OwnPrometheus(child, dir, `http://127.0.0.1:${port}`);
    const isReady = async () => (await fetch(`${prometheus.#url}/-/ready`)).ok;
    await until(isReady, { limitMs: START_LIMIT_MS }, 'prometheus ready').catch(async (error: Error) => {
      await prometheus.close();
      throw error;
    });
    return prometheus;
  }

  /** The alerts that are pending or firing now. */
  async active(): Promise<readonly ShownAlert[]> {
    const { alerts } = await this.#ask<{ alerts: ShownAlert[] }>('alerts');
    for (const alert of alerts) if (alert.state === 'firing') this.fired.set(alert.labels.alertname!, alert);
    return alerts;
  }

  /** The value of an expression with one value. Null: it has none. */
  async value(expression: string): Promise<number | null> {
    type Found = { result: { value: [time: number, value: string] }[] };
    const { result } = await this.#ask<Found>(`query?query=${encodeURIComponent(expression)}`);
    return result[0] ? Number(result[0].value[1]) : null;
  }

  async close(): Promise<void> {
    clearInterval(this.#looks);
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #ask<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1/${path}`);
    const { data } = (await response.json()) as { data: T };
    return data;
  }
}

/** The port of a process's metrics, by its log. A process that was started again has another one. */
export const metricsPortIn = (log: string): number =>
  Number([...log.matchAll(/"metricsPort":(\d+)/g)].at(-1)?.[1]);

// A busy machine may answer late, and a scrape without an answer ends pending alerts. So the time limit of a scrape is
// as long as the interval. Prometheus allows no longer one.
const settings = (ports: readonly number[]): string => `global:
  scrape_interval: 2s
  scrape_timeout: 2s
  evaluation_interval: 500ms
rule_files: [rules.yml]
scrape_configs:
  - job_name: replenish
    static_configs:
      - targets: [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}]
`;
