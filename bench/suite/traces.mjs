import { join } from 'node:path';
import { freePort } from '@replenish/testing';
import { hold } from './ground.mjs';
import { sentence, startIngress, takeTurn } from './intake.mjs';
import { startProcess } from './processes.mjs';
import { line, median, ratios } from './statistics.mjs';

// The goal: traces add less than 10 % to the CPU time of a request.
const COST_GOAL = 1.1;

/**
 * Measures the cost of traces, as the CPU time of ingress and database per request: every request traced, the share of
 * requests traced that a busy installation would choose, and no traces.
 */
export async function measureTraces({ ground, generator, rounds, warmUpMs, measureMs, say, announce }) {
  const queue = ground.redis ? 'redis' : 'postgres';
  say('\ntraces sent to a collector, and no traces');
  const port = await freePort();
  const entry = join(import.meta.dirname, 'span-sink.mjs');
  const sink = await startProcess({
    name: 'span-sink',
    entry,
    args: [String(port)],
    logsDir: ground.logsDir,
  });
  const sinkUrl = `http://127.0.0.1:${port}`;
  const sent = { OTEL_EXPORTER_OTLP_ENDPOINT: sinkUrl };
  const settings = {
    off: {},
    all: sent,
    tenth: { ...sent, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' },
  };
  const names = Object.keys(settings);
  const measured = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      await announce(`  round ${round} ${name.padEnd(5)}`);
      const before = await spansAt(sinkUrl);
      const start = (database) =>
        startIngress({ ground, database, queue, label: name, settings: settings[name] });
      const turn = await takeTurn({ ground, generator, start, warmUpMs, measureMs });
      const spans = (await spansAt(sinkUrl)) - before;
      hold(spans > 0 === (name !== 'off'), `with traces ${name}, ${spans} spans came`);
      measured[name].push(turn);
      say(`${sentence(turn)}  spans ${spans}`);
    }
  }
  await sink.stop();
  const costs = (name) => measured[name].map(({ cpuUs, postgresUs }) => cpuUs + postgresUs);
  return [
    line('cost of all traced / none', ratios(costs('all'), costs('off')), COST_GOAL, { isCost: true }),
    line('cost of a tenth traced / none', ratios(costs('tenth'), costs('off')), COST_GOAL, { isCost: true }),
    `  remark: ingress and Postgres, us/request: ${names.map((name) => `${name} ${Math.round(median(costs(name)))}`).join(', ')}`,
  ];
}

const spansAt = async (url) => Number(await (await fetch(url)).text());
