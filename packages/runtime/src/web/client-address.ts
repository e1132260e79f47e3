import type { IncomingMessage } from 'node:http';
import { isIP, SocketAddress } from 'node:net';

// The longest entry that is read. No valid address with its zone and port is longer.
const ENTRY_MAX = 100;

/** An IPv4 address written as IPv6, as Node does. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The address in a proxy's entry. Equal addresses get equal texts: port, brackets, quotes and zone are removed, IPv6 is
 * shortened, and `::ffff:10.0.0.1` becomes `10.0.0.1`. Null if the entry is no address, such as `unknown` or `_hidden`
 * (RFC 7239, 6).
 */
export function addressIn(entry: string): string | null {
  // IPv4 is the most common case. It is tested first, because every request runs this code.
  if (isIP(entry) === 4) return entry;
  if (entry.length > ENTRY_MAX) return null;
  const bare = withoutPort(entry.trim().replace(/^"(.*)"$/, '$1')).replace(/%.*$/s, '');
  const version = isIP(bare);
  if (version !== 6) return version === 4 ? bare : null;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return MAPPED.exec(address)?.[1] ?? address;
}

/**
 * Removes the port. A port follows a bracket or an IPv4 address. After an IPv6 address without brackets, digits are a
 * port only if the whole entry is no valid address.
 */
function withoutPort(entry: string): string {
  const [, inBrackets, v4, v6] =
    /^(?:\[([^\]]*)\](?::[\w.-]*)?|(\d+\.\d+\.\d+\.\d+):[\w.-]*|([\da-f:.]+:[\da-f:.]*):\d{1,5})$/i.exec(
      entry,
    ) ?? [];
  if (v6 !== undefined && isIP(entry) === 6) return entry;
  return inBrackets ?? v4 ?? v6 ?? entry;
}

/** Whether the proxy with this address is trusted. `hop` is its distance: 0 for the nearest. */
export type Trusts = (address: string, hop: number) => boolean;

/** The part of an Express app that is used here: its setting, and the prototype of its requests. */
type App = Readonly<{ request: object; get: (name: 'trust proxy fn') => Trusts }>;

/**
 * Defines `ip` of the app's requests as the result of `clientAddress`. Express itself accepts any text from a proxy,
 * such as an address with a port.
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
 * The address of the client: the address of the connection, or the one that the last trusted proxy reported. Undefined
 * when that proxy reported something that is not an address. An allow list refuses a request without an address.
 *
 * Forwarded (RFC 7239) is read only without X-Forwarded-For. A proxy that writes X-Forwarded-For passes on a Forwarded
 * header that the client may have invented.
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

/** The entries, from the nearest proxy to the client. Empty entries are skipped (RFC 9110, 5.6.1). */
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
