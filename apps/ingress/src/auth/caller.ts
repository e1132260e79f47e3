import type { Clients, Key, KeyVerifier } from '@replenish/domain';
import { allows, type Scope, scopes } from '@replenish/domain/rules';
import type { Request } from 'express';
import { Problem } from '../http/answers/problem.js';
import { callOf } from '../http/call.js';
import { originOf } from '../http/origin.js';
import { refuseRepeated } from '../http/single-headers.js';
import { type Presented, presentedBy } from './forms.js';
import { openKeys, type TriedKey } from './keys.js';
import { unauthenticated } from './refusals.js';
import { isBalanceQuery, isInWindow, isS3Signed, isSigned, signedText } from './signatures.js';
import { openTokens, type TokenIssuer } from './tokens.js';

export type AuthOptions = Readonly<{
  /** Whether to accept only live keys. If not, only test keys are accepted. */
  isProduction: boolean;
  tokenIssuer: TokenIssuer | null;
  /** Unix milliseconds, for the windows of signatures and the expiry of keys. */
  now: () => number;
}>;

export type CallerClients = Pick<Clients, 'find' | 'findBySubject' | 'useNonce'>;

/**
 * Finds the caller's key and checks what it may do, in this order: the proof, the limits of the key, the nonce, the
 * scope. The nonce is used up only by a request that has passed the earlier checks.
 *
 * A wrong proof counts as a guess only if the right proof would have been accepted: in this form, and from this
 * address. Other wrong proofs cannot be guesses, so they must not lock the key of an honest owner.
 */
export function openAuthentication(clients: CallerClients, options: AuthOptions) {
  const prove = openProofs(clients, options);
  /**
   * @throws Problem UNAUTHENTICATED when no key is proven; UNAUTHORIZED when the key may not be used like this;
   * INVALID_ARGUMENT when a header that names the caller is repeated
   */
  return async (request: Request, scope: Scope): Promise<Key> => {
    refuseRepeated(request.rawHeaders);
    const presented = presentedBy(request.headers);
    if (presented.form === 'none') throw unauthenticated(presented.why);
    const trial = await prove(request, presented);
    const hint = secretBesideSignature(request, presented);
    if (!trial?.isProven) {
      const isGuess = trial !== null && wouldOpen(trial.known, presented.form, request, options);
      throw unauthenticated(unproven[presented.form] + hint, isGuess ? 'bad_signature' : undefined);
    }
    const { known } = trial;
    const fault = formFault(known.key, presented.form);
    if (fault !== null) throw unauthenticated(fault + hint);
    refuseState(known, request, options);
    if (!known.isAllowedFrom(request.ip))
      throw new Problem('UNAUTHORIZED', 'the key may not be used from this address');
    if (
      presented.form === 'signed' &&
      !(await clients.useNonce({ keyId: known.key.keyId, nonce: presented.nonce }))
    )
      throw unauthenticated('the nonce was used before', 'replayed_nonce');
    if (!allows(known.key.scopes, scope))
      throw new Problem('UNAUTHORIZED', `the key lacks the scope ${scope}`, { suspicion: 'missing_scope' });
    return known.key;
  };
}

/** Whether a right proof of this form would have been accepted from this caller. */
function wouldOpen(
  { key, isAllowedFrom }: KeyVerifier,
  form: Presented['form'],
  { ip }: Request,
  { isProduction, now }: AuthOptions,
): boolean {
  const isUsable = isAllowedFrom(ip) && isForEnvironment(key, isProduction) && !isExpired(key, now());
  return isUsable && formFault(key, form) === null && isSealedFor(key, form);
}

const isSealedFor = (key: Key, form: Presented['form']): boolean =>
  form === 's3' ? key.allowS3 && key.canSign : form !== 'signed' || key.canSign;

const unknownKey = 'the key is unknown, or the secret is wrong';

const unproven: Readonly<Record<Presented['form'], string>> = {
  bearer: unknownKey,
  signed: 'the key is unknown, or the signature is wrong',
  s3: 'the key is unknown, or the balance signature is wrong: it is valid for GET /v1/account/balance only, for 60 s, with keys that allow it',
  token: 'the token is not valid here, or no key belongs to its subject',
};

/** A hint for callers that send both a signature and the secret. Then only the secret is checked. */
const secretBesideSignature = ({ headers }: Request, { form }: Presented): string =>
  form === 'bearer' && headers['x-signature'] !== undefined
    ? '; Authorization has the secret though X-Signature is there: a signed request sends the key id alone'
    : '';

/**
 * Checks the proof of each form. The result is null when no key was tried, because the key is unknown or this form does
 * not fit the request.
 */
function openProofs(clients: CallerClients, { tokenIssuer, now }: AuthOptions) {
  const find = openKeys(clients);
  const verify = tokenIssuer && openTokens(tokenIssuer);
  return async (request: Request, presented: Presented): Promise<TriedKey | null> => {
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
        const trial = holder && (await find(holder, () => true));
        if (!trial) return null;
        return { ...trial, known: { ...trial.known, key: narrowed(trial.known.key, holder.scope) } };
      }
    }
  };
}

/**
 * The key with the scopes of the token. A token cannot add scopes to those of its key. A token without any scope of
 * ours leaves the key as it is.
 */
function narrowed(key: Key, scope: string | null): Key {
  const granted = (scope ?? '').split(' ').filter((name) => (scopes as readonly string[]).includes(name));
  return granted.length === 0 ? key : { ...key, scopes: key.scopes.filter((name) => granted.includes(name)) };
}

/**
 * The reason for which the key may not be used in this form. Null when it may be used. A secret may be sent as a bearer
 * with test keys, and with live keys that allow it.
 */
function formFault(key: Key, form: Presented['form']): string | null {
  if (key.requireSignature && (form === 'bearer' || form === 'token'))
    return 'this key only takes signed requests';
  if (form === 'bearer' && key.env !== 'test' && !key.allowBearer)
    return 'this live key may not be sent with its secret: sign the request';
  return null;
}

/**
 * Whether the key is for this environment. Production takes all keys but test keys, and every other environment takes
 * only test keys. Early releases also made keys with other marks than `live` and `test`. They count as live.
 */
const isForEnvironment = (key: Key, isProduction: boolean): boolean => (key.env === 'test') !== isProduction;

const isExpired = ({ expiresAt }: Key, nowMs: number): boolean =>
  expiresAt !== null && expiresAt.getTime() <= nowMs;

function refuseState(known: KeyVerifier, request: Request, { isProduction, now }: AuthOptions): void {
  const { key } = known;
  if (!isForEnvironment(key, isProduction))
    throw unauthenticated(`keys of the environment ${key.env} are not accepted here`);
  if (isExpired(key, now())) throw unauthenticated('the key has expired');
  const lockedUntil = known.lockedUntil(originOf(callOf(request.res!).ip));
  if (lockedUntil && lockedUntil.getTime() > now())
    throw new Problem('UNAUTHORIZED', 'the key is locked for this address', {
      headers: { 'retry-after': String(Math.ceil((lockedUntil.getTime() - now()) / 1_000)) },
    });
}
