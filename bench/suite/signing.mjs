import { sentence, startIngress, takeTurn } from './intake.mjs';
import { line, median, ratios } from './statistics.mjs';

// The goal: a signed request costs at most 15 % more than a bearer request.
const COST_GOAL = 1.15;

// The limit is so high that no request is refused, but every request is counted.
const settings = { RATE_LIMIT_PER_MINUTE: '100000000' };

/** Measures the cost of a signature with its nonce and the rate limit: CPU time of ingress and database per request. */
export async function measureSigning({ ground, generator, rounds, warmUpMs, measureMs, say, announce }) {
  const queue = ground.redis ? 'redis' : 'postgres';
  say('\nsigned and bearer requests, rate limit and nonces on');
  const measured = { bearer: [], signed: [] };
  for (let round = 1; round <= rounds; round++) {
    for (const [name, turns] of Object.entries(measured)) {
      await announce(`  round ${round} ${name}`);
      const isSigning = name === 'signed';
      const start = (database) => startIngress({ ground, database, queue, label: name, settings, isSigning });
      const turn = await takeTurn({ ground, generator, start, warmUpMs, measureMs });
      turns.push(turn);
      say(sentence(turn));
    }
  }
  const costs = (name) => measured[name].map(({ cpuUs, postgresUs }) => cpuUs + postgresUs);
  const rates = (name) => measured[name].map(({ rate }) => rate);
  return [
    line('cost of signed / bearer', ratios(costs('signed'), costs('bearer')), COST_GOAL, { isCost: true }),
    line('  remark: signed / bearer, requests/s', ratios(rates('signed'), rates('bearer'))),
    `  remark: ingress and Postgres, us/request: signed ${Math.round(median(costs('signed')))}, bearer ${Math.round(median(costs('bearer')))}`,
  ];
}
