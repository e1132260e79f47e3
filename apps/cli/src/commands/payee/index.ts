import { Command, Option } from '@commander-js/extra-typings';
import type { KeptPayee } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import type { Env } from '@replenish/runtime';
import { withDomain, withProviders } from '../../books.js';
import { type Declare, JSON_ABOUT, Misuse } from '../../command.js';
import * as values from '../../values.js';

const EXAMPLE = `
Example:
  replenish payee set acct-1001 --provider alibaba_cloud --to fa-customer-7 --currency CNY`;

/** Where the money of an account is delivered. */
export const payee: Declare = (run) =>
  [set, show, remove].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('payee').description('say where the money of an account is delivered, show it, or remove it'),
  );

const ACCOUNT = 'the account whose recharges are delivered';

const set: Declare = ({ env, say }) =>
  new Command('set')
    .description('deliver the money of an account to an account at a cloud')
    .argument('<accountId>', ACCOUNT, values.accountId)
    .requiredOption('--provider <name>', 'provider of the cloud account, such as alibaba_cloud')
    .requiredOption('--to <id>', 'account at the provider that gets the money', values.accountAtProvider)
    .option('--from <id>', 'account at the provider that pays', values.accountAtProvider)
    .option('--provider-account <name>', 'name of our account at the provider that pays')
    .requiredOption('--currency <code>', 'currency of the cloud account', values.currency)
    .addOption(
      new Option(
        '--approval-above <amount...>',
        'recharges strictly above this wait for a second person, as <currency>:<minor units>; repeatable',
      ).argParser(values.approvalAbove),
    )
    .option('--json', JSON_ABOUT)
    .addHelpText('after', EXAMPLE)
    .action(async (accountId, { json, from = null, provider, providerAccount: account, ...asked }) => {
      const { keptSource } = await import('@replenish/providers');
      const kept = await withProviders(env, async (providers) => {
        const providerAccount = await payingAccount(providers, provider, account);
        return { providerAccount, from: keptSource(providers.raw(provider, providerAccount), from) };
      });
      const wanted = { ...asked, ...kept, accountId, provider };
      const now = await shown(env, await withDomain(env, ({ payees }) => payees.set(wanted, 'operator')));
      say(json ? asJson(now) : linesOf(now));
    });

const show: Declare = ({ env, say }) =>
  new Command('show')
    .description('show where the money of an account is delivered')
    .argument('<accountId>', ACCOUNT, values.accountId)
    .option('--json', JSON_ABOUT)
    .action(async (accountId, { json }) => {
      const kept = await withDomain(env, ({ payees }) => payees.of(accountId));
      if (!kept) throw noPayee(accountId);
      const now = await shown(env, kept);
      say(json ? asJson(now) : linesOf(now));
    });

const remove: Declare = ({ env, say }) =>
  new Command('remove')
    .description('keep the money of an account in its wallet')
    .argument('<accountId>', ACCOUNT, values.accountId)
    .option('--json', JSON_ABOUT)
    .action(async (accountId, { json }) => {
      const isRemoved = await withDomain(env, ({ payees }) => payees.remove(accountId));
      if (!isRemoved) throw noPayee(accountId);
      say(json ? JSON.stringify({ accountId, removed: true }) : `removed the payee of ${accountId}`);
    });

/** A payee with the account that pays. If the payee names none, that is the source of our provider account. */
const shown = (env: Env, kept: KeptPayee): Promise<KeptPayee> =>
  withProviders(env, async (providers) => ({
    ...kept,
    from: kept.from ?? providers.raw(kept.provider, kept.providerAccount)?.source ?? null,
  }));

/** The account that pays: the one that is asked for, or the only one. */
async function payingAccount(
  providers: Pick<Providers, 'accounts'>,
  provider: string,
  asked: string | undefined,
): Promise<string> {
  const { deliveringProviders } = await import('@replenish/providers');
  const accounts = providers.accounts(provider);
  if (!deliveringProviders.includes(provider))
    throw new Misuse(
      `no provider ${provider} delivers: --provider must be one of ${deliveringProviders.join(', ')}`,
    );
  if (accounts.length === 0)
    throw new Misuse(`${provider} is not configured here: see docs/configuration.md, "Providers"`);
  const account = asked ?? (accounts.length === 1 ? accounts[0] : undefined);
  if (account === undefined)
    throw new Misuse(`--provider-account is needed: it must be one of ${accounts.join(', ')}`);
  if (accounts.includes(account)) return account;
  throw new Misuse(
    `no provider account ${account}: --provider-account must be one of ${accounts.join(', ')}`,
  );
}

const noPayee = (accountId: string): Error => new Error(`${accountId} has no payee`);

/** Amounts are at most 2^53 - 1 when they are set, so they are JSON numbers. */
const asJson = (kept: KeptPayee): string =>
  JSON.stringify(kept, (_, value) => (typeof value === 'bigint' ? Number(value) : value));

const linesOf = ({ approvalAbove, ...kept }: KeptPayee): string => {
  const limits = Object.entries(approvalAbove).map(([currency, minor]) => `${currency}:${minor}`);
  return Object.entries({ ...kept, approvalAbove: limits.join(' ') || null })
    .map(
      ([name, value]) => `${name.padEnd(16)} ${value instanceof Date ? value.toISOString() : (value ?? '-')}`,
    )
    .join('\n');
};
