import type { IncomingMessage } from 'node:http';
import { isIP, SocketAddress } from 'node:net';

// The longest address in any of these spellings, with zone and port, is shorter.
const ENTRY_MAX = 100;

/** Node's spelling of IPv4 addresses in IPv6's form. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The address that a proxy writes, in one spelling: without port, brackets, quotes and zone, IPv6 in its short form, and
 * an IPv4 address in IPv6's form as IPv4. Null for what is none, such as `unknown` or `_hidden` (RFC 7239, 6).
 */
export function addressIn(entry: string): string | null {
  // As most are; every call asks.
  if (isIP(entry) === 4) return entry;
  if (entry.length > ENTRY_MAX) return null;
  const bare = withoutPort(entry.trim().replace(/^"(.*)"$/, '$1')).replace(/%.*$/s, '');
  const version = isIP(bare);
  if (version !== 6) return version === 4 ? bare : null;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return MAPPED.exec(address)?.[1] ?? address;
}

/** A port is behind a bracket, behind IPv4, or too long to be a part of IPv6. */
function withoutPort(entry: string): string {
  const [, inBrackets, v4, v6] =
    /^(?:\[([^\]]*)\](?::[\w.-]*)?|(\d+\.\d+\.\d+\.\d+):[\w.-]*|([\da-f:.]+:[\da-f:.]*):\d{1,5})$/i.exec(
      entry,
    ) ?? [];
  if (v6 !== undefined && isIP(entry) === 6) return entry;
  return inBrackets ?? v4 ?? v6 ?? entry;
}

/** Whether the proxy with this address, so many hops away, is believed. */
export type Trusts = (address: string, hop: number) => boolean;

/** As much of an Express app as is needed: its setting, and the prototype of its requests. */
type App = Readonly<{ request: object; get: (name: 'trust proxy fn') => Trusts }>;

/**
 * Gives the app's requests this address as `ip`. Express takes whatever a proxy wrote: an address with a port, or a
 * text of any length.
 */
export function readClientAddresses(app: App): void {
  const trusts = app.get('trust proxy fn');
  Object.defineProperty(app.request, 'ip', {
    configurable: true,
    get(this: ReceivedRequest) {
      return clientAddress(this, trusts);
    },
  });
}

type ReceivedRequest = Pick<IncomingMessage, 'headers'> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
};

/**
 * The address of the client: the connection's own, or the one that the last believed proxy wrote down. Undefined when
 * that proxy wrote something that is no address: then nobody knows, and lists of addresses let nobody in.
 *
 * X-Forwarded-For counts; Forwarded (RFC 7239) only without it, because proxies that write the first one pass on
 * whatever a client wrote into the second.
 */
export function clientAddress({ headers, socket }: ReceivedRequest, trusts: Trusts): string | undefined {
  let address = addressIn(socket.remoteAddress ?? '') ?? undefined;
  if (address === undefined || !trusts(address, 0)) return address;
  const entries = forwardedFrom(headers);
  for (let hop = 0; hop < entries.length; hop++) {
    if (hop > 0 && !trusts(address, hop)) return address;
    const written = addressIn(entries[hop]!);
    if (written === null) return undefined;
    address = written;
  }
  return address;
}

const FOR = /(?:^|;)\s*for\s*=\s*("[^"]*"|[^;]*)/i;

/** The entries from the nearest proxy to the client; empty ones say nothing (RFC 9110, 5.6.1). */
function forwardedFrom(headers: IncomingMessage['headers']): string[] {
  const list = headers['x-forwarded-for'];
  if (list !== undefined) return splitList(String(list));
  return splitList(headers.forwarded ?? '').map((hop) => FOR.exec(hop)?.[1] ?? '');
}

const splitList = (list: string): string[] =>
  list
    .split(',')
    .filter((entry) => entry.trim() !== '')
    .reverse();
