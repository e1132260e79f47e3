import type { Domain, Due } from '@replenish/domain';
import type { Queues } from '@replenish/queues';
import type { CommandRun } from '../../command.js';
import { withProgress } from '../../progress.js';

// The most due recharges per run. They take one statement and a few bulk additions to the queues. If more are due, the
// command is run again.
const TAKEN_MAX = 2_000;

/** Hands due recharges and events to the workers, or with `now` also recharges that wait. */
export async function handDueOver(
  { env, say, ...screen }: CommandRun,
  { json, now }: Readonly<{ json: true | undefined; now: string | true | undefined }>,
): Promise<void> {
  const id = typeof now === 'string' ? now : undefined;
  const { withDomain, withQueues } = await import('../../books.js');
  const due = await withProgress(screen, 'handing recharges to the workers', () =>
    withDomain(env, (domain) =>
      withQueues(env, (queues) => handOver(domain, queues, now === undefined ? 'due' : { id })),
    ),
  );
  if (id !== undefined && due.length === 0)
    throw new Error(`no unfinished recharge has the id ${id}: there is nothing to ask about`);
  const count = {
    asked: due.filter((one) => one.what === 'recharge' && one.nextStep !== 'submit').length,
    submitted: due.filter((one) => one.what === 'recharge' && one.nextStep === 'submit').length,
    events: due.filter((one) => one.what === 'event').length,
  };
  if (json) say(JSON.stringify({ hinted: true, ...count }));
  else
    say(
      `handed to the workers: ${count.asked} recharges to ask about, ${count.submitted} to send, ${count.events} events`,
    );
}

type Which = 'due' | Readonly<{ id: string | undefined }>;

async function handOver(domain: Domain, queues: Queues, which: Which): Promise<Due[]> {
  const due =
    which === 'due' ? await domain.takeDue(TAKEN_MAX) : await domain.takeWaiting(TAKEN_MAX, which.id);
  const { queueOf } = await import('@replenish/queues');
  const names = [...new Set(due.map(queueOf))];
  const answers = await Promise.all(
    names.map((name) =>
      queues.hint(
        name,
        due.filter((one) => queueOf(one) === name).map(({ id }) => id),
      ),
    ),
  );
  if (answers.every((isTaken) => isTaken)) return due;
  await domain.putBack(due);
  throw new Error('the queue does not answer; what was taken is due again, and the next sweep takes it');
}
