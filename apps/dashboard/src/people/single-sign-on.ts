import type { OperatorRole } from '@replenish/domain';
import { isOperatorName, operatorRoles } from '@replenish/domain/rules';
import type { Config } from '@replenish/runtime';

type Settings = Pick<
  Config,
  | 'CONSOLE_URL'
  | 'OIDC_ISSUER'
  | 'OIDC_CLIENT_ID'
  | 'OIDC_CLIENT_SECRET'
  | 'OIDC_ROLES'
  | 'OIDC_ROLE_CLAIM'
  | 'OIDC_NAME_CLAIM'
  | 'OIDC_SCOPE'
>;

/** What a browser keeps between its departure to the provider and its return. */
export type Departure = Readonly<{ state: string; nonce: string; verifier: string }>;

/**
 * What the provider says of the person who returns.
 * - `refused`: it did not let the person in, or the answer does not belong to this departure.
 * - `no_role`: none of the person's claims has a role here.
 * - `no_name`: the claim that names people is missing, or is no name here.
 */
export type Vouched =
  | Readonly<{ fate: 'vouched'; subject: string; name: string; role: OperatorRole }>
  | Readonly<{ fate: 'refused' | 'no_role' | 'no_name'; why: string }>;

/** Sign-in through an OpenID provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1). */
export interface SingleSignOn {
  /** @throws if the provider does not answer */
  depart(): Promise<Readonly<{ url: string; departure: Departure }>>;
  /**
   * @param pathAndQuery where the provider sent the browser
   * @throws if the provider does not answer
   */
  comeBack(pathAndQuery: string, departure: Departure): Promise<Vouched>;
}

const RETURN_PATH = '/login/sso/return';

/** Null if no OpenID provider is configured. */
export function openSingleSignOn(config: Settings): SingleSignOn | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = config;
  if (!issuer || !clientId || !clientSecret) return null;
  const discovered = rememberSuccess(() => discover(issuer, clientId, clientSecret));
  return {
    depart: async () => {
      const { library, provider } = await discovered();
      const departure = {
        state: library.randomState(),
        nonce: library.randomNonce(),
        verifier: library.randomPKCECodeVerifier(),
      };
      const url = library.buildAuthorizationUrl(provider, {
        redirect_uri: config.CONSOLE_URL + RETURN_PATH,
        scope: config.OIDC_SCOPE,
        state: departure.state,
        nonce: departure.nonce,
        code_challenge: await library.calculatePKCECodeChallenge(departure.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, departure };
    },
    comeBack: async (pathAndQuery, { state, nonce, verifier }) => {
      const { library, provider } = await discovered();
      const { searchParams } = new URL(pathAndQuery, config.CONSOLE_URL);
      const returned = new URL(`${config.CONSOLE_URL}${RETURN_PATH}?${searchParams}`);
      const checks = {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier },
        idTokenExpected: true,
      };
      try {
        const tokens = await library.authorizationCodeGrant(provider, returned, checks);
        return vouchedBy(tokens.claims() ?? {}, issuer, config);
      } catch (error) {
        if (isOutage(error)) throw error;
        return { fate: 'refused', why: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

async function discover(issuer: string, clientId: string, clientSecret: string) {
  // Loaded here, since most consoles have no OpenID provider.
  const library = await import('openid-client');
  const isPlain = issuer.startsWith('http:');
  const provider = await library.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    // The configuration allows plain HTTP on this machine only.
    execute: isPlain ? [library.allowInsecureRequests] : [],
    timeout: 10,
  });
  return { library, provider };
}

/** Calls `work` until it succeeds once. Calls at the same time share one attempt. */
function rememberSuccess<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let attempt: Promise<Result> | null = null;
  return () => {
    attempt ??= work().catch((error) => {
      attempt = null;
      throw error;
    });
    return attempt;
  };
}

/** The provider was not reached, took too long, or failed itself. */
const isOutage = (error: unknown): boolean =>
  error instanceof TypeError ||
  (error instanceof Error && ['OAUTH_TIMEOUT', 'OAUTH_ABORT'].includes(String(codeOf(error)))) ||
  Number((error as { status?: unknown }).status) >= 500;

const codeOf = (error: Error): unknown => (error as { code?: unknown }).code;

type Claims = Readonly<Record<string, unknown>>;

function vouchedBy(
  claims: Claims,
  issuer: string,
  { OIDC_ROLES, OIDC_ROLE_CLAIM, OIDC_NAME_CLAIM }: Settings,
): Vouched {
  const name = claims[OIDC_NAME_CLAIM];
  if (typeof name !== 'string' || !isOperatorName(name))
    return { fate: 'no_name', why: `the claim ${OIDC_NAME_CLAIM} is no name of a person` };
  const held = [claims[OIDC_ROLE_CLAIM]].flat();
  const role = rolesIn(OIDC_ROLES ?? '').find(([value]) => held.includes(value))?.[1];
  if (!role) return { fate: 'no_role', why: `no value of the claim ${OIDC_ROLE_CLAIM} has a role` };
  return { fate: 'vouched', subject: `${issuer} ${claims.sub}`, name, role };
}

const rolesIn = (text: string): [string, OperatorRole | undefined][] =>
  text.split(',').map((pair) => {
    const [value = '', role] = pair.split('=');
    return [value.trim(), operatorRoles.find((known) => known === role)];
  });
