import { expect, test } from '@jest/globals';
import { asText, showOne } from '../../src/commands/demo/story.js';

const at = (ms: number) => new Date(1_800_000_000_000 + ms).toISOString();
const request = { at: at(0), kind: 'request', idempotencyKey: 'k' };
const claim = {
  at: at(4),
  kind: 'transition',
  from: 'CREATED',
  to: 'SUBMITTED',
  source: 'submission',
  reason: 'r',
};
const call = (outcome: string) => ({
  at: at(4),
  kind: 'provider_call',
  operation: 'submit',
  attempt: 1,
  outcome,
});
const event = (processedAt: string | null) => ({
  at: at(6),
  kind: 'webhook',
  provider: 'sandbox',
  processedAt,
});
const success = { ...claim, at: at(9), from: 'SUBMITTED', to: 'SUCCEEDED' };

/** What the story prints for these successive states of the timeline. In the last one the recharge is final. */
async function printed(...looks: (readonly object[])[]): Promise<string[]> {
  const lines: string[] = [];
  let look = 0;
  const answers = (path: string): object => {
    if (path.endsWith('/timeline')) return { data: looks[look++] };
    if (path.startsWith('/v1/account')) return { balances: [], history: [] };
    return { transactionId: 't', status: look === looks.length - 1 ? 'succeeded' : 'in_progress' };
  };
  await showOne(
    async (path) => answers(path) as never,
    asText((line) => void lines.push(line)),
  );
  return lines.filter((line) => line.startsWith('  +')).map((line) => line.replace(/^.* ms +/, ''));
}

test('a running call is shown once, when it has ended, at its place in time', async () => {
  const lines = await printed(
    [request],
    [request, claim, call('unanswered')],
    [request, claim, call('unanswered'), event(null)],
    [request, claim, call('accepted'), event(null)],
    [request, claim, call('accepted'), event(at(9)), success],
  );
  expect(lines).toEqual([
    'request       stored with key k',
    'transition    CREATED -> SUBMITTED  (submission: r)',
    'provider_call submit, attempt 1: accepted',
    'webhook       sandbox event kept and processed',
    'transition    SUBMITTED -> SUCCEEDED  (submission: r)',
  ]);
});

test('a row that is stored late is shown once, and no shown row is shown again', async () => {
  const lines = await printed(
    [request, claim],
    [request, event(at(9)), claim],
    [request, event(at(9)), claim, success],
  );
  expect(lines).toEqual([
    'request       stored with key k',
    'transition    CREATED -> SUBMITTED  (submission: r)',
    'webhook       sandbox event kept and processed',
    'transition    SUBMITTED -> SUCCEEDED  (submission: r)',
  ]);
});

test('a call without an end is shown as unanswered when the recharge is final', async () => {
  const lines = await printed([request, call('unanswered')], [request, call('unanswered'), success]);
  expect(lines[1]).toBe('provider_call submit, attempt 1: unanswered');
});
