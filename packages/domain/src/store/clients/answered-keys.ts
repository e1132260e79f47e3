import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

/** The answer to a verb, as it was given first. */
export type VerbAnswer = Readonly<{
  status: number;
  /** The root element of its XML form. Null: the answer has no body, or its body is not kept because it has a secret. */
  root: string | null;
  /** In JSON. */
  body: string | null;
}>;

/** A request for a verb, with its idempotency key. */
export type KeyedVerb = Readonly<{
  clientId: string;
  idempotencyKey: string;
  /** The name of the operation, for people. */
  operation: string;
  /** The hash of all that the request asks for. */
  fingerprint: string;
}>;

/**
 * What is known about a key.
 * - `new`: nothing. The key is noted now.
 * - `other_request`: it was used for something else.
 * - `begun`: the same request was begun, and there is no answer yet. It may be under way, or its process died. So the
 *   verb may have had its effect.
 * - `answered`: the same request was answered.
 */
export type KnownKey =
  | Readonly<{ is: 'new' | 'other_request' | 'begun' }>
  | Readonly<{ is: 'answered'; answer: VerbAnswer }>;

/**
 * The idempotency keys of verbs. What creates something keeps its key in the row that it creates. A verb has no such row.
 */
export interface AnsweredKeys {
  /** Notes a key before its verb is carried out. */
  begin(verb: KeyedVerb): Promise<KnownKey>;
  /** Keeps the answer, unless the key has one. Returns the answer that is kept. */
  keep(verb: KeyedVerb, answer: VerbAnswer): Promise<VerbAnswer>;
  /**
   * Frees the key of a refused request. A key with an answer stays.
   * @param first whether the request was the first with its key. Its key stays if the same request has come again: that
   * one may be the reason of the refusal
   * @returns false if the key stays
   */
  forget(verb: KeyedVerb, first: boolean): Promise<boolean>;
}

type AnsweredKeyRow = Readonly<{
  fingerprint: string;
  isNew: boolean;
  status: number | null;
  root: string | null;
  body: string | null;
}>;

export const openAnsweredKeys = (run: Run): AnsweredKeys => ({
  begin: async (verb) => {
    const [row] = await run<AnsweredKeyRow>(noted(verb, null));
    const { fingerprint, isNew } = row!;
    if (isNew) return { is: 'new' };
    if (fingerprint !== verb.fingerprint) return { is: 'other_request' };
    const answer = answerOf(row!);
    return answer ? { is: 'answered', answer } : { is: 'begun' };
  },
  keep: async (verb, answer) => {
    const [row] = await run<AnsweredKeyRow>(noted(verb, answer));
    return answerOf(row!) ?? answer;
  },
  forget: async ({ clientId, idempotencyKey, fingerprint }, first) => {
    const freed = await run(Prisma.sql`
      delete from answered_key
      where client_id = ${clientId}::uuid and idempotency_key = ${idempotencyKey}
        and fingerprint = ${fingerprint} and status is null and (repeats = 0 or not ${first}::boolean)
      returning 1`);
    return freed.length > 0;
  },
});

const answerOf = ({ status, root, body }: AnsweredKeyRow): VerbAnswer | null =>
  status === null ? null : { status, root, body };

/**
 * Inserts the key, or gives the known one its first answer. A rival with the same key waits for this statement, and then
 * finds its row. `xmax` is 0 in a row that was inserted.
 */
const noted = (
  { clientId, idempotencyKey, operation, fingerprint }: KeyedVerb,
  answer: VerbAnswer | null,
): Prisma.Sql => Prisma.sql`
  insert into answered_key as known (
    client_id,
    idempotency_key,
    operation,
    fingerprint,
    status,
    root,
    body)
  values (
    ${clientId}::uuid,
    ${idempotencyKey},
    ${operation},
    ${fingerprint},
    ${answer?.status ?? null}::int,
    ${answer?.root ?? null}::text,
    ${answer?.body ?? null}::text)
  on conflict (client_id, idempotency_key) do update set
    repeats = known.repeats + case when ${isToAnswer} and excluded.status is null then 1 else 0 end,
    status = case when ${isToAnswer} then excluded.status else known.status end,
    root = case when ${isToAnswer} then excluded.root else known.root end,
    body = case when ${isToAnswer} then excluded.body else known.body end
  returning fingerprint, xmax = 0 as "isNew", status, root, body`;

const isToAnswer = Prisma.raw('known.status is null and known.fingerprint = excluded.fingerprint');
