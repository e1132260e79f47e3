import { BlockList, isIP } from 'node:net';

/**
 * Addresses that a client must not make us call: private networks, this machine, link-local addresses with the metadata
 * services of clouds, shared address space, multicast, documentation, and old ways of tunnelling.
 * Source: the registries of special-purpose addresses of IANA (RFC 6890). 168.63.129.16 is a service of Azure.
 */
const specialIPv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/**
 * Of the IPv6 addresses, only global unicast ones (2000::/3) are called. These ranges of them are not called: they
 * stand for IPv4 addresses, or are reserved.
 */
const specialIPv6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const special = new BlockList();
for (const [network, bits] of specialIPv4) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of specialIPv6) special.addSubnet(network, bits, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Whether an address, as text, is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6:
      return globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
    default:
      return false;
  }
}

// Names of this machine and of private networks.
const PRIVATE_NAME = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|home\.arpa)$/;
// Stores and services that understand, or are harmed by, an HTTP request.
const SERVICE_PORTS = new Set([1433, 1521, 2049, 2375, 2379, 3306, 5432, 5672, 6379, 9200, 11211, 27017]);
const HTTPS = 443;
const URL_CHARS_MAX = 2_000;

/** `host:port` of a URL, as the list of exceptions has it. An IPv6 address has brackets. */
export const placeOf = (url: URL): string =>
  `${url.hostname}:${url.port || (url.protocol === 'http:' ? '80' : '443')}`;

/** The host of a URL without the brackets of an IPv6 address and without the dot at the end of a name. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

/**
 * Why a client may not have events posted to a URL, in words that continue "The URL". Null if it may. Numbers and other
 * spellings of an address (2130706433, 0x7f.1) are read as the address that they mean. The addresses of a name are
 * judged when it is resolved.
 * @param allowed exceptions as `host:port`. Only they may be plain HTTP
 */
export function faultOfTarget(text: string, allowed: ReadonlySet<string>): string | null {
  if (text.length > URL_CHARS_MAX) return `must have at most ${URL_CHARS_MAX} characters`;
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return 'must be an absolute URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https://';
  if (url.username !== '' || url.password !== '') return 'must not contain a user or a password';
  if (url.hash !== '') return 'must not contain a fragment';
  if (allowed.has(placeOf(url))) return null;
  if (url.protocol !== 'https:') return 'must begin with https://';
  const port = Number(url.port || HTTPS);
  if (port !== HTTPS && (port < 1_024 || SERVICE_PORTS.has(port)))
    return 'must have the port 443, or one above 1023 that belongs to no other service';
  return faultOfHost(hostOf(url).toLowerCase());
}

function faultOfHost(host: string): string | null {
  if (isIP(host) !== 0) return isPublicAddress(host) ? null : PRIVATE;
  if (!host.includes('.') || PRIVATE_NAME.test(host)) return PRIVATE;
  return null;
}

const PRIVATE = 'must not lead to this machine or to a private network';

/** As `faultOfTarget`, for the addresses that a name was resolved to. All of them are judged. */
export const faultOfAddresses = (addresses: readonly string[]): string | null =>
  addresses.length > 0 && addresses.every(isPublicAddress) ? null : PRIVATE;

/** The exceptions of a setting: `host:port`, separated by commas. */
export const placesIn = (setting: string | undefined): ReadonlySet<string> =>
  new Set((setting ?? '').split(',').flatMap((place) => place.trim().toLowerCase() || []));
