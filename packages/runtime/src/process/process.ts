import type { Registry } from 'prom-client';
import type { Env } from '../config/local.js';
import { BadConfiguration, type Config, readConfig, unknownSettings } from '../config/read.js';
import { createLogger, type Logger } from '../observe/log.js';
import { metricsOffset, openRegistry, type ProcessName, serveMetrics } from '../observe/metrics.js';
import { exportTraces, isTraced } from '../traces/exporting.js';
import { type Closer, closeAll } from './closing.js';
import { Health } from './health.js';

export type Frame = Readonly<{
  config: Config;
  log: Logger;
  registry: Registry;
  health: Health;
  /** Registers an opened resource. Resources are closed in reverse order when the process stops. */
  opened: <T>(name: string, thing: T, close: (thing: T) => unknown) => T;
}>;

/** The message that a process sends to its launcher through the IPC channel, if there is one. */
export type ReadyMessage = Readonly<{ ready: ProcessName; detail: string }>;

// EX_CONFIG of sysexits.h. The launcher does not restart a child that ends with this code.
const EX_CONFIG = 78;
// The whole fleet must end within ten seconds of a signal. So each resource gets four seconds to close, and the process
// exits after eight in any case.
const CLOSE_LIMIT_MS = 4_000;
const EXIT_LIMIT_MS = 8_000;

/**
 * The frame of every process: configuration, log, metrics, readiness, and an orderly end on SIGTERM, SIGINT, SIGHUP or
 * the death of the launcher. `start` opens what the process needs and returns a line with its address.
 */
export async function runProcess(
  name: ProcessName,
  env: Env,
  start: (frame: Frame) => Promise<string>,
): Promise<void> {
  const config = configOrExit(name, env);
  const log = createLogger(name, config.LOG_LEVEL, isTraced(config));
  for (const { name: variable, meant } of unknownSettings(env))
    log.warn({ variable, meant }, `${variable} is no setting${meant ? `: ${meant} is` : ''}`);
  const opened: Closer[] = [];
  const stop = stopper(log, opened);
  endsWith(stop, log);
  const frame: Frame = {
    config,
    log,
    registry: openRegistry(name),
    health: new Health(log),
    opened: (label, thing, close) => {
      opened.push({ name: label, close: () => close(thing) });
      return thing;
    },
  };
  try {
    // Traces are opened first, so that they are closed last and have the spans of the end.
    if (isTraced(config)) frame.opened('traces', await exportTraces(name, config, log), (end) => end());
    const port = config.METRICS_PORT === 0 ? 0 : config.METRICS_PORT + metricsOffset[name];
    const metrics = await serveMetrics(frame.registry, frame.health, { host: config.METRICS_HOST, port });
    frame.opened('metrics', metrics, (server) => server.close());
    const detail = await start(frame);
    frame.opened('health', frame.health.watch(), (end) => end());
    log.info({ metricsPort: metrics.port }, `ready: ${detail}`);
    process.send?.({ ready: name, detail } satisfies ReadyMessage);
  } catch (error) {
    log.fatal({ err: error }, 'could not start');
    await stop(error instanceof BadConfiguration ? EX_CONFIG : 1);
  }
}

function configOrExit(name: string, env: Env): Config {
  try {
    return readConfig(env);
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(EX_CONFIG);
  }
}

function stopper(log: Logger, opened: readonly Closer[]): (code: number) => Promise<void> {
  let stopping = false;
  return async (code) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(code), EXIT_LIMIT_MS).unref();
    const stuck = await closeAll(opened, CLOSE_LIMIT_MS);
    log.info({ stuck }, 'stopped');
    process.exit(code);
  };
}

function endsWith(stop: (code: number) => Promise<void>, log: Logger): void {
  // With `process.once` a second signal would kill the process, and npm and terminals together send each signal twice.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
  // The channel also closes when the launcher is killed with `kill -9`. Nothing else would stop this process then.
  process.once('disconnect', () => void stop(0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'broken assumption');
    void stop(1);
  });
}
