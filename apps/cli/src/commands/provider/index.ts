import { Command } from '@commander-js/extra-typings';
import type { GuardedProvider, Providers } from '@replenish/providers';
import { withProviders } from '../../books.js';
import { type Declare, JSON_ABOUT, Misuse } from '../../command.js';
import { tableOf } from '../../table.js';
import type { CheckedAccount } from './check.js';

/** The configured providers: what they offer, and whether our accounts there can be used. */
export const provider: Declare = (run) =>
  [list, check].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('provider').description('list the configured providers, or check our account at one'),
  );

const list: Declare = ({ env, say, paint }) =>
  new Command('list')
    .description('list the configured providers with what they offer')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const listed = await withProviders(env, async ({ names, accounts, raw, methodsOf }) =>
        names.flatMap((name) =>
          accounts(name).map((account, at) => ({
            provider: name,
            account,
            isDefault: at === 0,
            methods: methodsOf(name),
            offers: (['webhooks', 'cancels', 'refunds', 'balance', 'statement'] as const).filter(
              (part) => raw(name, account)?.[part],
            ),
          })),
        ),
      );
      if (json) return say(JSON.stringify(listed));
      const heads = ['provider', 'account', 'payment methods', 'offers'];
      const rows = listed.map(({ methods, offers, ...one }) => [
        ...[one.provider, one.isDefault ? `${one.account} (default)` : one.account],
        ...[methods.join(', ') || '(payees)', offers.join(', ')],
      ]);
      say(tableOf(heads, rows, paint));
    });

const EXAMPLE = `
Examples:
  replenish provider check
  replenish provider check stripe
  replenish provider check stripe --account market --json`;

const check: Declare = ({ env, say, exitWith, paint }) =>
  new Command('check')
    .description(
      'make one harmless read at our accounts, and compare the clocks; exit code 0 only when all of them can be used',
    )
    .argument('[name]', 'name of a provider, such as stripe; left out: every account of every provider')
    .option('--account <name>', 'only this account of ours at the provider')
    .option('--json', JSON_ABOUT)
    .addHelpText('after', EXAMPLE)
    .action(async (name, { account, json }) => {
      if (name === undefined && account !== undefined) throw new Misuse('--account needs a provider');
      const { checkAccount } = await import('./check.js');
      const seen = await withProviders(env, async (providers) => {
        const checked: CheckedAccount[] = [];
        // The accounts are checked one after the other, because a check takes the clock from every answer that arrives
        // meanwhile.
        for (const one of asked(providers, name, account)) checked.push(await checkAccount(one));
        return checked;
      });
      const ok = seen.every((one) => one.ok);
      if (!ok) exitWith(1);
      if (json) return say(JSON.stringify({ ok, accounts: seen }));
      const verdict = (isGood: boolean, word: string) => paint?.(isGood ? 'green' : 'red', word) ?? word;
      for (const { provider, account: of, reads, clock } of seen) {
        for (const { isUsable, words, tookMs } of reads)
          say(
            `${provider} ${of}  ${verdict(isUsable, isUsable ? 'usable' : 'NOT USABLE')}  ${words} (${tookMs} ms)`,
          );
        if (clock.verdict !== 'right')
          say(
            `${provider} ${of}  ${verdict(clock.verdict !== 'refused', clock.verdict === 'refused' ? 'NOT USABLE' : 'warning')}  ${clock.words}`,
          );
      }
    });

type AskedProviders = Pick<Providers, 'names' | 'all'>;

function asked({ names, all }: AskedProviders, name?: string, account?: string): GuardedProvider[] {
  const ofProvider = all().filter((one) => name === undefined || one.name === name);
  if (ofProvider.length === 0)
    throw new Error(`no provider ${name ?? ''} is configured: there is ${names.join(', ') || 'none'}`);
  const found = ofProvider.filter((one) => account === undefined || one.account === account);
  if (found.length > 0) return found;
  const known = ofProvider.map((one) => one.account).join(', ');
  throw new Error(`there is no account ${account} of ours at ${name}: there is ${known}`);
}
