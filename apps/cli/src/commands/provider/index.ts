import { Command } from '@commander-js/extra-typings';
import { withProviders } from '../../books.js';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { tableOf } from '../../table.js';

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

const check: Declare = ({ env, say, exitWith, paint }) =>
  new Command('check')
    .description('make one harmless read at a provider; exit code 0 only when our account there can be used')
    .argument('<name>', 'name of the provider, such as stripe')
    .option('--json', JSON_ABOUT)
    .action(async (name, { json }) => {
      const { checkProvider } = await import('./check.js');
      const seen = await withProviders(env, async ({ names, accounts, get }) => {
        const asked = get(name, accounts(name)[0] ?? '');
        if (!asked) throw new Error(`no provider ${name} is configured: there is ${names.join(', ')}`);
        return checkProvider(asked);
      });
      const isUsable = seen.every((one) => one.isUsable);
      if (!isUsable) exitWith(1);
      if (json) return say(JSON.stringify({ ok: isUsable, provider: name, account: 'main', reads: seen }));
      for (const { isUsable: isGood, words, tookMs } of seen) {
        const verdict = isGood ? 'usable' : 'NOT USABLE';
        say(
          `${name} main  ${paint?.(isGood ? 'green' : 'red', verdict) ?? verdict}  ${words} (${tookMs} ms)`,
        );
      }
    });
