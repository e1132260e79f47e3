import { isIP } from 'node:net';
import { BadConfiguration } from '@replenish/runtime';
import express from 'express';

/**
 * The addresses and networks of TRUST_PROXY.
 * @throws BadConfiguration that names an entry which is neither address nor network
 */
export function trustedProxies(list: string): readonly string[] {
  const entries = entriesOf(list);
  const wrong = entries.filter((entry) => !isNetwork(entry));
  if (wrong.length === 0) return entries;
  const named = wrong.map((entry) => JSON.stringify(entry)).join(', ');
  throw new BadConfiguration(`TRUST_PROXY: ${named}: not an address or a network such as 10.0.0.0/8`);
}

// Google's resolver and addresses for documentation (RFC 5737, RFC 3849). A list of real proxies contains none of them.
// A list that is too wide does, because each half of the IPv4 addresses contains one.
const STRANGERS = ['8.8.8.8', '192.0.2.1', '203.0.113.1', '2001:4860:4860::8888', '2001:db8::1'];
// An address in the half of the IPv6 addresses that is not assigned yet.
const NOBODY_YET = 'a000::1';
// Express refuses a network of this size. The check here tells the operator the reason.
const WHOLE_RANGE = /\/(?:0+|0\.0\.0\.0)$/;

export function trustsEverybody(list: string): boolean {
  if (entriesOf(list).some((entry) => WHOLE_RANGE.test(entry))) return true;
  const trusts = trustOf(entriesOf(list).filter(isNetwork));
  return [...STRANGERS, NOBODY_YET].some(trusts);
}

const entriesOf = (list: string): string[] => list.split(',').map((entry) => entry.trim());

/** The address is checked here first, because Express reads `1` as 0.0.0.1. */
function isNetwork(entry: string): boolean {
  if (isIP(entry.split('/')[0]!) === 0) return false;
  try {
    trustOf([entry]);
    return true;
  } catch {
    return false;
  }
}

/** The function with which Express decides whether it trusts the headers of an address. */
function trustOf(networks: readonly string[]): (address: string) => boolean {
  const trusts: (address: string, hop: number) => boolean = express()
    .set('trust proxy', networks)
    .get('trust proxy fn');
  return (address) => trusts(address, 0);
}
