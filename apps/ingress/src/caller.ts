import type { Ceiling, Clients, Key, Known, SecurityRule } from '@replenish/domain';
import { type Scope, scopes } from '@replenish/domain/rules';
import type { Request } from 'express';
import { type Presented, presentedBy } from './auth-forms.js';
import { openKeys } from './auth-keys.js';
import { isBalanceQuery, isInWindow, isS3Signed, isSigned, signedText } from './auth-signatures.js';
import { openTokens, type TokenIssuer } from './auth-tokens.js';
import { Problem } from './problem.js';
import { refuseRepeated } from './single-headers.js';

export type { Scope };

export type AuthOptions = Readonly<{
  /** In production test keys are refused, elsewhere live ones. */
  isProduction: boolean;
  tokenIssuer: TokenIssuer | null;
  /** The clock that signatures and expiry are judged by. */
  now: () => number;
}>;

export type CallerClients = Pick<Clients, 'find' | 'findBySubject' | 'useNonce'>;

/**
 * Who calls. Every form ends in a key; what the key may do is judged here, in this order: the proof, the key's own
 * limits, the nonce, the scope. A nonce is used up only by a request that is let in as far as that.
 */
export function openCallers(clients: CallerClients, options: AuthOptions) {
  const prove = openProofs(clients, options);
  /**
   * @throws Problem UNAUTHENTICATED, UNAUTHORIZED when the key may be known but not used like this, or INVALID_ARGUMENT
   * when it is said twice who calls
   */
  return async (request: Request, scope: Scope): Promise<Key> => {
    refuseRepeated(request.rawHeaders);
    const presented = presentedBy(request.headers);
    if (presented.form === 'none') throw unauthenticated(presented.why);
    const known = await prove(request, presented);
    if (!known) throw unauthenticated(unproven[presented.form] + secretBesideSignature(request, presented));
    refuseForm(known.key, presented.form, secretBesideSignature(request, presented));
    refuseState(known.key, options);
    if (!known.isAllowedFrom(request.ip))
      throw new Problem('UNAUTHORIZED', 'the key may not be used from this address');
    if (
      presented.form === 'signed' &&
      !(await clients.useNonce({ keyId: known.key.keyId, nonce: presented.nonce }))
    )
      throw unauthenticated('the nonce was used before', 'replayed_nonce');
    if (!known.key.scopes.includes(scope))
      throw new Problem('UNAUTHORIZED', `the key lacks the scope ${scope}`, { suspicion: 'missing_scope' });
    return known.key;
  };
}

const unknownKey = 'the key is unknown, or the secret is wrong';

const unproven: Readonly<Record<Presented['form'], string>> = {
  bearer: unknownKey,
  signed: 'the key is unknown, or the signature is wrong',
  s3: 'the key is unknown, or the balance signature is wrong: it is valid for GET /v1/account/balance only, for 60 s, with keys that allow it',
  token: 'the token is not valid here, or no key belongs to its subject',
};

/** For a caller that signs and sends the secret as well: the signature is not looked at then. */
const secretBesideSignature = ({ headers }: Request, { form }: Presented): string =>
  form === 'bearer' && headers['x-signature'] !== undefined
    ? '; Authorization has the secret though X-Signature is there: a signed request sends the key id alone'
    : '';

/** One proof a form; null when it fails. */
function openProofs(clients: CallerClients, { tokenIssuer, now }: AuthOptions) {
  const find = openKeys(clients);
  const verify = tokenIssuer && openTokens(tokenIssuer);
  return async (request: Request, presented: Presented): Promise<Known | null> => {
    switch (presented.form) {
      case 'bearer':
        return find(presented, (known) => known.isSecret(presented.secret));
      case 'signed': {
        if (!isInWindow(presented, now()))
          throw unauthenticated('X-Timestamp is more than 300 s from our clock, which the header Date tells');
        const text = signedText(request, presented);
        return find(presented, (known) => isSigned(known, text, presented));
      }
      case 's3':
        if (!isBalanceQuery(request)) return null;
        return find(presented, (known) => isS3Signed(known, presented, now()));
      case 'token': {
        const holder = await verify?.(presented.token);
        const known = holder && (await find(holder, () => true));
        return known ? { ...known, key: narrowed(known.key, holder.scope) } : null;
      }
    }
  };
}

/** A token that names scopes of ours grants those of them that the key has; one that names none grants the key's. */
function narrowed(key: Key, scope: string | null): Key {
  const granted = (scope ?? '').split(' ').filter((name) => (scopes as readonly string[]).includes(name));
  return granted.length === 0 ? key : { ...key, scopes: key.scopes.filter((name) => granted.includes(name)) };
}

function refuseForm(key: Key, form: Presented['form'], more: string): void {
  if (key.requireSignature && (form === 'bearer' || form === 'token'))
    throw unauthenticated(`this key only takes signed requests${more}`);
  if (form === 'bearer' && key.env === 'live' && !key.allowBearer)
    throw unauthenticated(`this live key may not be sent with its secret: sign the request${more}`);
}

function refuseState(key: Key, { isProduction, now }: AuthOptions): void {
  if (key.env === (isProduction ? 'test' : 'live'))
    throw unauthenticated(`keys of the environment ${key.env} are not accepted here`);
  if (key.expiresAt && key.expiresAt.getTime() <= now()) throw unauthenticated('the key has expired');
  if (key.lockedUntil && key.lockedUntil.getTime() > now())
    throw new Problem('UNAUTHORIZED', 'the key is locked', {
      headers: { 'retry-after': String(Math.ceil((key.lockedUntil.getTime() - now()) / 1_000)) },
    });
}

const unauthenticated = (why: string, suspicion: SecurityRule = 'bad_signature'): Problem =>
  new Problem('UNAUTHENTICATED', why, { headers: { 'www-authenticate': 'Bearer' }, suspicion });

export const coversAccount = (key: Key, accountId: string): boolean =>
  key.accounts.some((pattern) => covers(pattern, accountId));

/** @throws Problem UNAUTHORIZED when no pattern of the key covers the account */
export function requireAccount(key: Key, accountId: string): void {
  if (coversAccount(key, accountId)) return;
  throw new Problem('UNAUTHORIZED', 'the key does not cover this account', { suspicion: 'foreign_account' });
}

/**
 * The ceiling of a key in one currency; undefined for a key without any.
 * @throws Problem UNAUTHORIZED when the key has ceilings, but none here: what was bounded is not unbounded elsewhere
 */
export function ceilingOf(key: Key, currency: string): Ceiling | undefined {
  if (Object.keys(key.ceilings).length === 0) return undefined;
  if (Object.hasOwn(key.ceilings, currency)) return key.ceilings[currency];
  throw new Problem('UNAUTHORIZED', `the key has no ceiling for ${currency}, so it may not use it`);
}

/**
 * `*` stands for any run of characters; everything else for itself. Looked for part by part: a regular expression took
 * 4.6 s for `*a*a*a*a*a*a*b` and 64 letters a.
 */
export function covers(pattern: string, accountId: string): boolean {
  if (pattern === '*') return true;
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return accountId === pattern;
  if (!accountId.startsWith(head)) return false;
  let at = head.length;
  for (const part of parts) {
    const found = accountId.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return accountId.length - tail.length >= at && accountId.endsWith(tail);
}

/** The same pattern for SQL's LIKE. */
export const likeOf = (pattern: string): string => pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
