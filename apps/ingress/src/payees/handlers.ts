import type { Domain, KeptPayee } from '@replenish/domain';
import { keptSource, type Providers } from '@replenish/providers';
import type { z } from 'zod';
import { requireAccount } from '../auth/refusals.js';
import { answer, answerNothing } from '../http/answers/answer.js';
import { invalid, Problem } from '../http/answers/problem.js';
import type { KeyedCall } from '../http/operation.js';
import { withinSpan } from '../http/traced-call.js';
import { accountId, validated } from '../input/fields.js';
import type { PayeeInput } from './input.js';

export type PayeeDeps = Readonly<{
  payees: Domain['payees'];
  providers: Pick<Providers, 'accounts' | 'raw' | 'get'>;
}>;

export async function setPayee(
  { payees, providers }: PayeeDeps,
  call: KeyedCall<never, z.infer<typeof PayeeInput>>,
): Promise<void> {
  const account = accountOf(call);
  const { provider, to, from: given = null, currency, approvalAbove, ...asked } = call.body();
  const providerAccount = payingAccount(providers, provider, asked.providerAccount);
  const from = keptSource(providers.raw(provider, providerAccount), given);
  const rail = providers.get(provider, providerAccount);
  await withinSpan(call.response, () => requireReceiver(rail, to));
  const payee = { accountId: account, provider, providerAccount, to, from, currency };
  const kept = await payees.set({ ...payee, ...(approvalAbove && { approvalAbove }) }, call.key.keyId);
  answer(call.request, call.response, 'payee', bodyOf(kept, providers));
}

export async function readPayee({ payees, providers }: PayeeDeps, call: KeyedCall): Promise<void> {
  const payee = await payees.of(accountOf(call));
  if (!payee) throw noPayee();
  answer(call.request, call.response, 'payee', bodyOf(payee, providers));
}

export async function removePayee({ payees }: PayeeDeps, call: KeyedCall): Promise<void> {
  const account = accountOf(call);
  call.body();
  if (!(await payees.remove(account)) && !call.repeats) throw noPayee();
  answerNothing(call.response);
}

function accountOf({ request, key }: Pick<KeyedCall, 'request' | 'key'>): string {
  const account = validated(accountId, request.params.accountId, 'accountId');
  requireAccount(key, account);
  return account;
}

/**
 * A payee as JSON, with the account that pays. If the payee names none, that is the source of our provider account.
 * Amounts are at most 2^53 - 1 when they are set, so they are JSON numbers.
 */
const bodyOf = ({ approvalAbove, ...payee }: KeptPayee, providers: PayeeDeps['providers']) => ({
  ...payee,
  from: payee.from ?? providers.raw(payee.provider, payee.providerAccount)?.source ?? null,
  approvalAbove: Object.fromEntries(
    Object.entries(approvalAbove).map(([currency, minor]) => [currency, Number(minor)]),
  ),
});

/**
 * Refuses a receiver that the provider definitely does not know. A provider that does not answer, or that gives us no
 * right to read the account, proves nothing, so its receiver is taken.
 */
async function requireReceiver(
  provider: ReturnType<PayeeDeps['providers']['get']>,
  to: string,
): Promise<void> {
  const read = await provider?.balance?.readTarget?.(to);
  if (read?.outcome.kind === 'refused' && read.outcome.noSuchAccount)
    throw invalid({ path: 'to', message: 'the provider has no such account' });
}

/**
 * The account of ours that pays: the one that the caller names, or the only one. If there are several, the caller has
 * to name one, so that money never leaves an account by accident.
 */
function payingAccount(
  providers: PayeeDeps['providers'],
  provider: string,
  asked: string | undefined,
): string {
  const accounts = providers.accounts(provider);
  const [only] = accounts;
  if (only === undefined)
    throw invalid({
      path: 'provider',
      message: `${provider} is not configured here, so nothing can be delivered by it: see docs/configuration.md, "Providers"`,
    });
  if (asked === undefined && accounts.length === 1) return only;
  if (asked !== undefined && accounts.includes(asked)) return asked;
  const message = asked === undefined ? 'is needed' : `is no account of ours at ${provider}`;
  throw invalid({ path: 'providerAccount', message: `${message}: there is ${accounts.join(', ')}` });
}

const noPayee = (): Problem => new Problem('NOT_FOUND', 'the account has no payee');
