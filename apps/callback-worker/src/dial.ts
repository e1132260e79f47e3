import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { addressesOf, faultOfAddresses, faultOfTarget, hostOf, placeOf } from '@replenish/runtime';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

export type DialOptions = Readonly<{
  /** Exceptions as `host:port`, which may be private and plain HTTP. */
  allowed: ReadonlySet<string>;
  proxyUrl?: string | undefined;
  /** The addresses of a name. */
  resolve?: (host: string, signal: AbortSignal) => Promise<readonly string[]>;
}>;

/** A target that must not be called. */
export class ForbiddenTarget extends Error {
  override readonly name = 'ForbiddenTarget';
}

export type Dialled = Readonly<{
  dispatcher: Dispatcher;
  url: URL;
  headers: Readonly<Record<string, string>>;
}>;

/**
 * A dispatcher that connects to one judged address. The name is resolved once, every address of it is judged, and the
 * connection goes to the first of them. A second resolution could give another address.
 * @throws ForbiddenTarget
 */
export async function dial(text: string, options: DialOptions, signal: AbortSignal): Promise<Dialled> {
  const { allowed, proxyUrl, resolve = addressesOf } = options;
  const fault = faultOfTarget(text, allowed);
  if (fault !== null) throw new ForbiddenTarget(`the URL ${fault}`);
  const url = new URL(text);
  const host = hostOf(url);
  if (allowed.has(placeOf(url)) && !proxyUrl) return { dispatcher: direct(), url, headers: {} };
  const addresses = isIP(host) === 0 ? await resolve(host, signal) : [host];
  if (!allowed.has(placeOf(url))) {
    if (addresses.length === 0) throw new Error('the name has no address');
    const wrong = faultOfAddresses(addresses);
    if (wrong !== null) throw new ForbiddenTarget(`the name ${wrong}`);
  }
  const address = addresses[0] ?? host;
  return proxyUrl ? throughProxy(proxyUrl, url, address) : { dispatcher: direct(address), url, headers: {} };
}

const direct = (address?: string): Dispatcher =>
  new Agent({ pipelining: 0, connect: address === undefined ? {} : { lookup: pinned(address) } });

const pinned =
  (address: string): LookupFunction =>
  (_host, options, callback) => {
    const family = isIP(address);
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };

/** The proxy is given the judged address, so that it does not resolve the name again. TLS still proves the name. */
function throughProxy(proxyUrl: string, url: URL, address: string): Dialled {
  const pinnedUrl = new URL(url);
  pinnedUrl.hostname = isIP(address) === 6 ? `[${address}]` : address;
  const dispatcher = new ProxyAgent({
    uri: proxyUrl,
    pipelining: 0,
    requestTls: isIP(hostOf(url)) === 0 ? { servername: hostOf(url) } : {},
  });
  return { dispatcher, url: pinnedUrl, headers: { host: url.host } };
}
