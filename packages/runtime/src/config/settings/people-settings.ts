import { z } from 'zod';
import { milliseconds } from '../numbers.js';

// A role that nobody has is refused by the schema, so a misspelt one is seen at start.
const ROLES = /^[^=,]+=(viewer|operator|approver|admin)(,[^=,]+=(viewer|operator|approver|admin))*$/;

/** What the people of the console may do, and how they sign in. */
export const peopleSettings = {
  /** Time after which an approval that nobody decided expires. */
  APPROVAL_EXPIRES_MS: milliseconds(100, 30 * 86_400_000).default(86_400_000),
  /** The time from the opening of a case to its due time on the desk, where a person has set none. */
  CASES_DUE_MS: milliseconds(60_000, 90 * 86_400_000).default(86_400_000),
  /** Limits above which a verb of a person that moves money needs an approval: `CNY:100000,USD:50000`, minor units. */
  APPROVAL_ABOVE: z
    .string()
    .regex(/^[A-Z]{3}:[1-9]\d{0,15}(,[A-Z]{3}:[1-9]\d{0,15})*$/, 'is not <currency>:<minor units>, ...')
    .optional(),
  /** Whether the first recharge to each payee needs an approval, whatever its amount. */
  APPROVE_FIRST_RECHARGE: z.enum(['true', 'false']).default('false'),
  /** The issuer of an OpenID provider. With it and the next three, people sign in to the console through it. */
  OIDC_ISSUER: z.url({ protocol: /^https?$/ }).optional(),
  OIDC_CLIENT_ID: z.string().min(1).optional(),
  OIDC_CLIENT_SECRET: z.string().min(1).optional(),
  /** The role for each value of the claim OIDC_ROLE_CLAIM: `ops=operator,platform=admin`. The first that fits counts. */
  OIDC_ROLES: z.string().regex(ROLES, 'is not <value of the claim>=<role>, ...').optional(),
  /** The claim of the ID token that decides about the role: a text or a list of texts. */
  OIDC_ROLE_CLAIM: z.string().min(1).default('groups'),
  /** The claim of the ID token that names the person. */
  OIDC_NAME_CLAIM: z.string().min(1).default('preferred_username'),
  OIDC_SCOPE: z
    .string()
    .regex(/\bopenid\b/, 'does not contain openid')
    .default('openid profile email'),
} as const;

type PeopleGiven = Readonly<{ [Name in keyof typeof peopleSettings]?: unknown }> &
  Readonly<{ CONSOLE_URL?: unknown }>;

const needed = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_ROLES'] as const;
const LOOPBACK = /^http:\/\/(127(\.\d{1,3}){3}|\[::1\]|localhost)([:/]|$)/;

export function peopleFaults(given: PeopleGiven, isProduction: boolean): string[] {
  const missing = needed.filter((name) => given[name] === undefined);
  if (missing.length === needed.length) return [];
  if (missing.length > 0)
    return [`${missing.join(' and ')} must be set, too: single sign-on needs ${needed.join(', ')}`];
  const issuer = String(given.OIDC_ISSUER);
  const isPrivate = issuer.startsWith('https:') || (!isProduction && LOOPBACK.test(issuer));
  return [
    ...(isPrivate ? [] : ['OIDC_ISSUER must begin with https:, since passwords are typed there']),
    ...(isProduction && given.CONSOLE_URL === undefined
      ? ['CONSOLE_URL must be set: the OpenID provider sends people back to it']
      : []),
  ];
}
