import { hash } from 'node:crypto';
import type { AnsweredKeys, KeyedVerb, KnownKey, VerbAnswer } from '@replenish/domain';
import { parse, parseNumberAndBigInt, stringify } from 'lossless-json';
import { answer, answerNothing, exactJson } from '../http/answers/answer.js';
import { Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { callOf, type GivenAnswer } from '../http/call.js';
import type { KeyedCall, KeyedOperation } from '../http/operation.js';
import { optionalKey } from './key-header.js';

type VerbOperation = Pick<KeyedOperation, 'id' | 'body' | 'isSecret'>;
type AnyCall = KeyedCall<unknown, unknown>;

/**
 * Returns a handler that carries a verb out once per idempotency key, and gives its first answer again when the request
 * comes again.
 *
 * The key is noted before the verb is carried out, and the answer is kept after it. If the process dies in between, the
 * request comes again as one that `repeats`: the handler then answers from the present state. A refused request uses up
 * no key.
 */
export const answerOnce =
  (keys: AnsweredKeys, operation: VerbOperation, handle: (call: AnyCall) => Promise<void>) =>
  async (call: AnyCall): Promise<void> => {
    const idempotencyKey = optionalKey(call.request.headers['idempotency-key']);
    if (idempotencyKey === null) return handle(call);
    callOf(call.response).idempotencyKey = idempotencyKey;
    const verb: KeyedVerb = {
      ...{ clientId: call.key.clientId, idempotencyKey, operation: operation.id },
      fingerprint: fingerprintOf(operation, call),
    };
    const known = await keys.begin(verb);
    if (known.is === 'other_request') throw keyReused();
    if (known.is === 'answered' && isKept(known.answer)) return giveAgain(call, known.answer);
    const given = await heldAnswer(keys, verb, { ...call, repeats: repeatOf[known.is] }, handle);
    const kept = await keys.keep(verb, operation.isSecret ? withoutBody(given) : keptOf(given));
    if (known.is === 'new') return give(call, given);
    return giveAgain(call, isKept(kept) ? kept : keptOf(given));
  };

const repeatOf: Readonly<Record<Exclude<KnownKey['is'], 'other_request'>, AnyCall['repeats']>> = {
  new: null,
  begun: 'begun',
  answered: 'answered',
};

/** The operation, the names in its path and its body. A verb without a declared body does not look at what it is sent. */
function fingerprintOf({ id, body }: VerbOperation, { request, body: read }: AnyCall): string {
  const asked = [id, Object.entries(request.params), body ? read() : null];
  return hash('sha256', stringify(asked, inOrder) ?? '');
}

/** The same fields in another order are the same request. */
const inOrder = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

const keyReused = (): Problem =>
  new Problem(
    'DUPLICATE_REQUEST',
    'this idempotency key was used with another request; to repeat that one, send it unchanged',
  );

/** Runs the handler, and returns what it would answer. */
async function heldAnswer(
  keys: AnsweredKeys,
  verb: KeyedVerb,
  call: AnyCall,
  handle: (call: AnyCall) => Promise<void>,
): Promise<GivenAnswer> {
  const context = callOf(call.response);
  let given: GivenAnswer | null = null;
  context.hold = (one) => {
    given = one;
  };
  try {
    await handle(call);
  } catch (error) {
    // After any other error the verb may have had its effect, so the key stays noted.
    if (!(error instanceof Problem) || error.status >= 500) throw error;
    const isFirst = call.repeats === null;
    if ((await keys.forget(verb, isFirst)) || !isFirst) throw error;
    // The same request came again meanwhile and was faster, so this one finds the verb done.
    return await heldAnswer(keys, verb, { ...call, repeats: 'begun' }, handle);
  } finally {
    context.hold = null;
  }
  if (given === null) throw new Error(`${verb.operation} gave no answer`);
  return given;
}

const NOTHING = 204;

/** Whether the whole answer is kept. */
const isKept = ({ status, root }: VerbAnswer): boolean => status === NOTHING || root !== null;

const keptOf = ({ status, root, body }: GivenAnswer): VerbAnswer => ({
  status,
  root,
  body: root === null ? null : exactJson(body),
});

const withoutBody = ({ status }: GivenAnswer): VerbAnswer => ({ status, root: null, body: null });

function give({ request, response }: AnyCall, { status, root, body, json }: GivenAnswer): void {
  if (root === null) answerNothing(response);
  else answer(request, response, root, body, { status, json });
}

function giveAgain(call: AnyCall, { status, root, body }: VerbAnswer): void {
  addHeader(call.response, 'idempotent-replayed', 'true');
  const parsed = body === null ? null : parse(body, undefined, parseNumberAndBigInt);
  give(call, { status: status === NOTHING ? NOTHING : 200, root, body: parsed, json: () => body ?? '' });
}
