import { caseBody } from '@replenish/assembly';
import type { CaseReader, CaseViewer, Domain, IsRefunding, ResolutionProblem } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import type { z } from 'zod';
import { likeOf, readClient } from '../auth/account-patterns.js';
import { answer, exactJson } from '../http/answers/answer.js';
import { invalid, Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { callOf } from '../http/call.js';
import type { KeyedCall } from '../http/operation.js';
import type { CallHints } from '../http/traced-call.js';
import { cursorOf, idOf } from '../input/cursor.js';
import { neededKey } from '../input/key-header.js';
import type { CaseQuery, ResolutionInput } from './input.js';

export type CaseDeps = Readonly<{
  domain: Pick<Domain, 'cases'>;
  providers: Pick<Providers, 'raw'>;
  queues: CallHints;
}>;

/** GET /v1/cases */
export async function listCases(deps: CaseDeps, call: KeyedCall<z.infer<typeof CaseQuery>>): Promise<void> {
  const { cursor, limit, ...filter } = call.query();
  const { rows, nextId } = await deps.domain.cases.list(
    { ...filter, limit, viewer: readerOf(call), beforeId: cursor && idOf(cursor) },
    refundingOf(deps),
  );
  const nextCursor = nextId === null ? null : cursorOf(nextId);
  answer(call.request, call.response, 'cases', { data: rows.map(caseBody), nextCursor }, EXACT);
}

/** GET /v1/cases/{caseId} */
export async function readCase(deps: CaseDeps, call: KeyedCall): Promise<void> {
  const found = await deps.domain.cases.one(caseIdOf(call), readerOf(call), refundingOf(deps));
  if (!found) throw unknownCase();
  answer(call.request, call.response, 'case', caseBody(found), EXACT);
}

/** POST /v1/cases/{caseId}/resolutions */
export async function resolveCase(
  deps: CaseDeps,
  call: KeyedCall<never, z.infer<typeof ResolutionInput>>,
): Promise<void> {
  const { request, response, key } = call;
  const { verb, reason, evidence = null } = call.body();
  const idempotencyKey = neededKey(request.headers['idempotency-key']);
  Object.assign(callOf(response), { idempotencyKey });
  const answered = await deps.domain.cases.resolve(
    {
      ...{ caseId: caseIdOf(call), verb, reason, evidence, idempotencyKey },
      ...{ actor: `${key.clientName} (${key.keyId})`, role: 'client', viewer: viewerOf(call) },
      approvalAbove: key.approvalAbove,
    },
    refundingOf(deps),
  );
  if (!answered.ok) throw problemOf[answered.problem]();
  const { replayed, resolved, refund } = answered;
  if (resolved.transactionId !== null) callOf(response).transactionId = resolved.transactionId;
  if (refund) void deps.queues.hint(`submission-${refund.provider}`, [refund.id], callOf(response).span);
  if (replayed) addHeader(response, 'idempotent-replayed', 'true');
  answer(request, response, 'case', caseBody(resolved), EXACT);
}

const caseIdOf = ({ request }: Pick<KeyedCall, 'request'>): string =>
  String(request.params.caseId).toLowerCase();

/** A key sees the cases of its client's transactions. With the pattern `*` it also sees those of no transaction. */
const viewerOf = ({ key }: Pick<KeyedCall, 'key'>): CaseViewer => ({
  clientId: key.clientId,
  accountPatterns: key.accounts.map(likeOf),
});

/** What a key may read, which may be more than what it may decide. */
const readerOf = ({ key }: Pick<KeyedCall, 'key'>): CaseReader => ({
  clientId: readClient(key),
  accountPatterns: key.accounts.map(likeOf),
});

const refundingOf =
  ({ providers }: CaseDeps): IsRefunding =>
  (name, account) =>
    providers.raw(name, account)?.refunds !== undefined;

/** The sum of several amounts can exceed 2^53. */
const EXACT = { json: exactJson };

const unknownCase = () => new Problem('NOT_FOUND', 'there is no such case');
const wrongState = (detail: string) => () => new Problem('INVALID_STATE', detail);

const problemOf: Readonly<Record<ResolutionProblem, () => Problem>> = {
  unknown_case: unknownCase,
  evidence_needed: () => invalid({ path: 'evidence', message: 'is needed for this verb' }),
  account_needed: () =>
    invalid({ path: 'evidence.accountId', message: 'is needed: the account that the money belongs to' }),
  unknown_account: () => invalid({ path: 'evidence.accountId', message: 'is of no client yet' }),
  approval_needed: () =>
    new Problem(
      'INVALID_STATE',
      'a second person has to approve it first, at the console; then send the same request again',
    ),
  verb_not_offered: wrongState('the case does not offer this verb now; its `verbs` says which it does'),
  case_closed: wrongState('the case is closed already'),
  not_understood: wrongState('only a newer release knows the recharge of the case'),
  beyond_balance: wrongState('the balance of the account cannot hold the money beside what is there'),
  key_used_with_other_body: () =>
    new Problem(
      'DUPLICATE_REQUEST',
      'this idempotency key was used with another request; to repeat that one, send it unchanged',
    ),
  insufficient_balance: () =>
    new Problem(
      'INSUFFICIENT_BALANCE',
      "the account's available balance does not cover the money that goes out",
    ),
};
