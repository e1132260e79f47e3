import { Command, Option } from '@commander-js/extra-typings';
import type { AddedKey } from '@replenish/domain';
import { scopes } from '@replenish/domain/rules';
import { ACTOR_OPTION } from '../../actor.js';
import { JSON_ABOUT, Misuse } from '../../command.js';
import * as values from '../../values.js';

/** A command that makes a key, with the options that all keys share. */
export const keyCommand = (name: string) =>
  new Command(name)
    .requiredOption('--scopes <list>', `what the key may do: ${scopes.join(', ')}`, values.scopeList)
    .requiredOption(
      '--accounts <patterns>',
      'accounts it may use: ids, with * for any characters',
      values.accountPatterns,
    )
    .option(
      '--rate-limit <number>',
      'requests per minute; all keys of a client share one count',
      values.wholeNumber(1, 1_000_000),
    )
    .option('--require-signature', 'every request must be signed')
    .option('--allow-bearer', 'allow a live key to send its secret instead of a signature')
    .option('--allow-s3', 'allow the short balance signature: see docs/authentication.md')
    .option(
      '--oauth-subject <subject>',
      '`sub` of the OAuth 2 access tokens that are accepted for this key',
      values.oauthSubject,
    )
    .option(
      '--expires <time>',
      'expiry of the key: RFC 3339, or a day, which means its beginning in UTC',
      values.time,
    )
    .option(
      '--ip-allow <list>',
      'addresses and networks that may use the key, such as 10.0.0.0/8',
      values.networks,
    )
    .addOption(
      new Option(
        '--ceiling <ceiling...>',
        'largest amounts, as <currency>:<minor units per request>:<minor units per day>; repeatable',
      ).argParser(values.ceiling),
    )
    .addOption(
      new Option(
        '--approval-above <amount...>',
        'amounts strictly above this wait for a second person, as <currency>:<minor units>; repeatable',
      ).argParser(values.approvalAbove),
    )
    .option(...ACTOR_OPTION)
    .option('--json', JSON_ABOUT);

type KeyOptionTexts = ReturnType<ReturnType<typeof keyCommand>['opts']>;

/** The key that the options describe. @throws Misuse for a key that could never be used */
export function keyFrom(asked: KeyOptionTexts): AddedKey {
  const { expires } = asked;
  if (expires && expires <= new Date()) throw new Misuse(`--expires ${expires.toISOString()} is in the past`);
  return {
    scopes: asked.scopes,
    accounts: asked.accounts,
    requireSignature: asked.requireSignature ?? false,
    allowBearer: asked.allowBearer ?? false,
    allowS3: asked.allowS3 ?? false,
    oauthSubject: asked.oauthSubject ?? null,
    rateLimitPerMinute: asked.rateLimit ?? null,
    expiresAt: expires ?? null,
    ipAllow: asked.ipAllow ?? [],
    ceilings: asked.ceiling ?? {},
    approvalAbove: asked.approvalAbove ?? {},
  };
}
