import type { Domain, KeptPayee } from '@replenish/domain';
import { keptSource, type Providers } from '@replenish/providers';
import type { z } from 'zod';
import { requireAccount } from '../auth/refusals.js';
import { answer, answerNothing } from '../http/answer.js';
import type { KeyedCall } from '../http/operation.js';
import { invalid, Problem } from '../http/problem.js';
import { accountId, validated } from '../input/fields.js';
import type { PayeeInput } from './input.js';

export type PayeeDeps = Readonly<{ payees: Domain['payees']; providers: Pick<Providers, 'raw' | 'get'> }>;

export async function setPayee(
  { payees, providers }: PayeeDeps,
  call: KeyedCall<never, z.infer<typeof PayeeInput>>,
): Promise<void> {
  const account = accountOf(call);
  const { provider, providerAccount, to, from: given = null, currency, approvalAbove } = call.body();
  const from = keptSource(providers.raw(provider), given);
  await requireReceiver(providers, provider, to);
  const payee = { accountId: account, provider, providerAccount, to, from, currency };
  const kept = await payees.set({ ...payee, ...(approvalAbove && { approvalAbove }) }, call.key.keyId);
  answer(call.request, call.response, 'payee', bodyOf(kept));
}

export async function readPayee({ payees }: PayeeDeps, call: KeyedCall): Promise<void> {
  const payee = await payees.of(accountOf(call));
  if (!payee) throw noPayee();
  answer(call.request, call.response, 'payee', bodyOf(payee));
}

export async function removePayee({ payees }: PayeeDeps, call: KeyedCall): Promise<void> {
  const account = accountOf(call);
  call.body();
  if (!(await payees.remove(account))) throw noPayee();
  answerNothing(call.response);
}

function accountOf({ request, key }: Pick<KeyedCall, 'request' | 'key'>): string {
  const account = validated(accountId, request.params.accountId, 'accountId');
  requireAccount(key, account);
  return account;
}

/** Amounts are at most 2^53 - 1 when they are set, so they are JSON numbers. */
const bodyOf = ({ approvalAbove, ...payee }: KeptPayee) => ({
  ...payee,
  approvalAbove: Object.fromEntries(
    Object.entries(approvalAbove).map(([currency, minor]) => [currency, Number(minor)]),
  ),
});

/**
 * Refuses a receiver that the provider definitely does not know. A provider that does not answer, or that gives us no
 * right to read the account, proves nothing, so its receiver is taken.
 */
async function requireReceiver(
  providers: Pick<Providers, 'get'>,
  provider: string,
  to: string,
): Promise<void> {
  const read = await providers.get(provider)?.balance?.readTarget?.(to);
  if (read?.outcome.kind === 'refused' && read.outcome.noSuchAccount)
    throw invalid({ path: 'to', message: 'the provider has no such account' });
}

const noPayee = (): Problem => new Problem('NOT_FOUND', 'the account has no payee');
