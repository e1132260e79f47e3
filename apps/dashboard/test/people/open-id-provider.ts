import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';

export const CLIENT = { id: 'replenish-console', secret: 'a secret, with : and %' };

type Asked = Readonly<{ redirectUri: string; nonce: string; challenge: string }>;

const inBase64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * An OpenID provider that checks what a real one checks: the client's secret, the redirect address, the code, which
 * serves once, and PKCE's verifier. `claims` are those of the person who signs in next.
 */
export class OpenIdProvider {
  claims: Record<string, unknown> = {};
  /** Changes the ID token's own claims, as a provider would that is wrong or forged. */
  wrong: Record<string, unknown> = {};
  isDown = false;
  url = '';
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #codes = new Map<string, Asked>();

  readonly listener: RequestListener = async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, this.url);
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (this.isDown) return json(503, {});
    if (pathname === '/.well-known/openid-configuration') return json(200, this.#discovery());
    if (pathname === '/keys')
      return json(200, {
        keys: [{ ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }],
      });
    if (pathname === '/authorize')
      return response.writeHead(303, { location: this.#authorize(searchParams) }).end();
    const fields = new URLSearchParams(await text(request));
    const token = pathname === '/token' && this.#token(fields, request.headers.authorization);
    return token ? json(200, token) : json(400, { error: 'invalid_grant' });
  };

  #discovery() {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_post'],
    };
  }

  #authorize(query: URLSearchParams): string {
    const given = (name: string): string => {
      const value = query.get(name);
      if (!value) throw new Error(`${name} is missing`);
      return value;
    };
    if (given('client_id') !== CLIENT.id || given('code_challenge_method') !== 'S256')
      throw new Error('this client is not known');
    const code = randomBytes(16).toString('hex');
    const redirectUri = given('redirect_uri');
    this.#codes.set(code, { redirectUri, nonce: given('nonce'), challenge: given('code_challenge') });
    return `${redirectUri}?${new URLSearchParams({ code, state: given('state') })}`;
  }

  #token(fields: URLSearchParams, authorization: string | undefined): object | null {
    const asked = this.#codes.get(fields.get('code') ?? '');
    this.#codes.delete(fields.get('code') ?? '');
    const isClient =
      authorization === undefined &&
      fields.get('client_id') === CLIENT.id &&
      fields.get('client_secret') === CLIENT.secret;
    const challenge = createHash('sha256')
      .update(fields.get('code_verifier') ?? '')
      .digest('base64url');
    if (!asked || !isClient || challenge !== asked.challenge) return null;
    if (fields.get('redirect_uri') !== asked.redirectUri) return null;
    return { access_token: 'unused', token_type: 'Bearer', id_token: this.#idToken(asked.nonce) };
  }

  #idToken(nonce: string): string {
    const iat = Math.floor(Date.now() / 1_000);
    const own = { iss: this.url, aud: CLIENT.id, iat, exp: iat + 60, nonce };
    const signed = `${inBase64({ alg: 'RS256', kid: 'k1' })}.${inBase64({ ...own, ...this.claims, ...this.wrong })}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(this.#keys.privateKey, 'base64url')}`;
  }
}
