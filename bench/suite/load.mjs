import { join } from 'node:path';
import { hold } from './ground.mjs';
import { startProcess } from './processes.mjs';

export const CONNECTIONS = 64;

/** Starts the load generator. It is the same process with the same bytes for every contender. */
export async function startGenerator({ logsDir }) {
  const entry = join(import.meta.dirname, 'generator.mjs');
  const generator = await startProcess({
    name: 'generator',
    entry,
    logsDir,
    env: { PATH: process.env.PATH },
  });
  let turn = 0;
  return {
    pid: generator.pid,
    stop: generator.stop,
    /** @returns the counts of the run. `onPhase` is called when the measured time begins and ends */
    run: (order, onPhase = () => {}) =>
      new Promise((resolve, reject) => {
        const { child } = generator;
        const ended = () => reject(new Error('the generator ended'));
        child.once('exit', ended);
        child.on('message', function onMessage({ phase, result, reason }) {
          if (phase !== 'done' && phase !== 'broken') return onPhase(phase);
          child.off('message', onMessage);
          child.off('exit', ended);
          if (phase === 'done') resolve(result);
          else reject(new Error(`the generator: ${reason}`));
        });
        child.send({ connections: CONNECTIONS, prefix: `bench-${++turn}`, ...order });
      }),
  };
}

/** @throws InvalidRound when a posted recharge was not accepted */
export function allAccepted({ posted, accepted, failed, examples }) {
  const refused = `${failed} of ${posted} requests failed: ${examples.join(' | ')}`;
  hold(failed === 0 && accepted === posted && posted > 0, refused);
}
