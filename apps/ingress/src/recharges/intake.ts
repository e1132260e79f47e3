import { type RechargeSort, type SortingProviders, sortOfRecharge } from '@replenish/assembly';
import {
  type Ceiling,
  type Created,
  type Domain,
  type MoneyDestination,
  minorFromMajor,
  type RechargeAsk,
  type RechargeView,
} from '@replenish/domain';
import { addTexts, exponentOf, type GivenTexts } from '@replenish/domain/rules';
import { type Counter, crashPoint, newId } from '@replenish/runtime';
import type { z } from 'zod';
import { ceilingOf, requireAccount } from '../auth/refusals.js';
import { invalid, Problem } from '../http/answers/problem.js';
import { callOf } from '../http/call.js';
import type { KeyedCall } from '../http/operation.js';
import type { CallHints } from '../http/traced-call.js';
import { idempotencyKey, validated } from '../input/fields.js';
import type { Targets } from '../input/targets.js';
import type { Limits } from '../limits/limits.js';
import type { ChargeInput, RechargeInput } from './input.js';

export type IntakeDeps = Readonly<{
  domain: Pick<Domain, 'createRecharge'>;
  providers: SortingProviders;
  queues: CallHints;
  requests: Counter<'result'>;
  /** Judges the `callbackUrl` of a request. */
  targets: Targets;
  /** The rate limit per account. Null: no limit. */
  limits: Pick<Limits, 'ofAccount'> | null;
}>;

export type CreatedRecharge = Readonly<{ replayed: boolean; recharge: RechargeView }>;

/** The fields that both forms of a request have in common. */
type ParsedRecharge = GivenTexts &
  Readonly<{
    accountId: string;
    currency: string;
    paymentMethod: string;
    destination?: MoneyDestination | undefined;
    providerAccount?: string | undefined;
    metadata: Record<string, string>;
    timestamp?: string | undefined;
  }>;

export type KeyedRequest = Readonly<{ parsed: ParsedRecharge; amountMinor: bigint; idempotencyKey: string }>;

/** POST /v1/recharges */
export async function createRecharge(
  deps: IntakeDeps,
  call: Pick<KeyedCall<never, z.infer<typeof RechargeInput>>, 'request' | 'response' | 'key' | 'body'>,
): Promise<CreatedRecharge> {
  const input = call.body();
  const idempotencyKey = agreedKey(call.request.headers['idempotency-key'], input.idempotencyKey);
  if (input.callbackUrl !== undefined) await deps.targets.require(input.callbackUrl, 'callbackUrl');
  return take(deps, call, { parsed: input, amountMinor: input.amount, idempotencyKey });
}

/** POST /api/charge. Amounts are in major units. Without an idempotency key each call is a new recharge. */
export function createCharge(
  deps: IntakeDeps,
  call: KeyedCall<never, z.infer<typeof ChargeInput>>,
): Promise<CreatedRecharge> {
  const input = call.body();
  const exponent = exponentOf(input.currency);
  if (exponent === undefined) throw new Error(`the input let ${input.currency} pass, which has no exponent`);
  const amountMinor = minorFromMajor(input.amount, exponent);
  if (amountMinor === null || amountMinor <= 0n || amountMinor > BigInt(Number.MAX_SAFE_INTEGER)) {
    const message = `must be a positive decimal of ${input.currency}, no finer than its smallest unit`;
    throw invalid({ path: 'amount', message });
  }
  const header = call.request.headers['idempotency-key'];
  const isKeyless = header === undefined && input.idempotency_key === undefined;
  const { account_id: accountId, payment_method: paymentMethod, currency, metadata } = input;
  return take(deps, call, {
    parsed: { accountId, currency, paymentMethod, metadata },
    amountMinor,
    idempotencyKey: isKeyless ? `charge-${newId()}` : agreedKey(header, input.idempotency_key),
  });
}

function agreedKey(header: string | string[] | undefined, inBody: string | undefined): string {
  const path = 'idempotencyKey';
  if (header === undefined && inBody === undefined)
    throw invalid({ path, message: 'is needed, as header Idempotency-Key or as a field of the body' });
  if (header !== undefined && inBody !== undefined && header !== inBody)
    throw invalid({ path, message: 'differs from the header Idempotency-Key' });
  return validated(idempotencyKey, header ?? inBody, path);
}

type Terms = Readonly<{ sort: RechargeSort; ceiling: Ceiling | undefined }>;

/** The request in the form in which the domain takes it. */
export function askOf(
  { key, response }: Pick<KeyedCall, 'key' | 'response'>,
  { parsed, amountMinor, idempotencyKey }: KeyedRequest,
  { sort, ceiling }: Terms,
): RechargeAsk {
  const { correlationId, span } = callOf(response);
  // One literal of fixed shape. With spreads of the parsed fields, this takes a request three times the time.
  return addTexts(
    {
      id: newId(),
      clientId: key.clientId,
      idempotencyKey,
      accountId: parsed.accountId,
      kind: sort.kind,
      funding: sort.funding,
      destination: parsed.destination ?? null,
      amountMinor,
      currency: parsed.currency,
      paymentMethod: parsed.paymentMethod,
      provider: sort.provider,
      ...(sort.providerAccount !== undefined && { providerAccount: sort.providerAccount }),
      askedAccount: parsed.providerAccount,
      metadata: parsed.metadata,
      requestedAt: parsed.timestamp ? new Date(parsed.timestamp) : null,
      correlationId,
      traceparent: span?.traceparent ?? null,
      approvalAboveMinor: key.approvalAbove[parsed.currency] ?? null,
      ceiling,
    },
    parsed,
  );
}

async function take(
  deps: IntakeDeps,
  caller: Pick<KeyedCall, 'key' | 'response'>,
  keyed: KeyedRequest,
): Promise<CreatedRecharge> {
  const { parsed } = keyed;
  requireAccount(caller.key, parsed.accountId);
  const sort = sortOf(deps, parsed);
  const call = callOf(caller.response);
  call.idempotencyKey = keyed.idempotencyKey;
  crashPoint('ingress.before-commit');
  const ask = askOf(caller, keyed, { sort, ceiling: ceilingOf(caller.key, parsed.currency) });
  // The limit is checked before anything is stored. So the idempotency key stays unused, and the request can be
  // repeated after the minute.
  await deps.limits?.ofAccount(parsed.accountId);
  const created = await deps.domain.createRecharge(ask);
  if (!created.ok) {
    deps.requests.inc({ result: created.problem });
    throw problemOf[created.problem](parsed);
  }
  call.transactionId = created.recharge.id;
  crashPoint('ingress.after-commit');
  deps.requests.inc({ result: created.replayed ? 'replayed' : 'created' });
  // The hint is not awaited. The recharge is stored, and a slow or absent queue must not delay the answer.
  if (!created.replayed && created.recharge.nextStep === 'submit')
    void deps.queues.hint(`submission-${created.recharge.provider}`, [created.recharge.id], call.span);
  crashPoint('ingress.after-hint');
  return created;
}

/** @throws Problem INVALID_ARGUMENT for a request that no provider can carry out */
export function sortOf({ providers }: Pick<IntakeDeps, 'providers'>, parsed: ParsedRecharge): RechargeSort {
  const sort = sortOfRecharge(providers, parsed);
  if ('message' in sort) throw invalid(sort);
  return sort;
}

type CreateRefusal = Extract<Created, { ok: false }>['problem'];

export const problemOf: Record<CreateRefusal, (asked: ParsedRecharge) => Problem> = {
  key_used_with_other_body: () =>
    new Problem(
      'DUPLICATE_REQUEST',
      'this idempotency key was used with another request; to repeat that one, send it unchanged',
    ),
  insufficient_balance: () =>
    new Problem('INSUFFICIENT_BALANCE', "the account's available balance does not cover the amount"),
  beyond_balance: () =>
    invalid({
      path: 'amount',
      message: 'is more than the balance of the account can hold beside what is there',
    }),
  no_payee: ({ paymentMethod, destination }: ParsedRecharge) =>
    invalid({
      path: destination === 'cloud' ? 'destination' : 'paymentMethod',
      message:
        destination === 'cloud'
          ? 'is cloud, and the account has no payee: set one with PUT /v1/accounts/{accountId}/payee'
          : `${paymentMethod} needs a payee of the account: set one with PUT /v1/accounts/{accountId}/payee`,
    }),
  other_currency: () =>
    invalid({
      path: 'currency',
      message:
        'is not the currency of the payee of the account; send `destination` `wallet` to keep it in the wallet',
    }),
  above_ceiling: () => new Problem('UNAUTHORIZED', 'the amount is above what this key may ask for'),
  payee_changed: () =>
    new Problem('INVALID_STATE', 'the payee of the account has just changed; look at it and send again'),
  plan_stopped: () => new Problem('INVALID_STATE', 'the plan of the recharge does not run'),
};
