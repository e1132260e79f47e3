import { isIP } from 'node:net';
import { BadConfiguration } from '@replenish/runtime';
import express from 'express';

/** Addresses and networks as TRUST_PROXY lists them. @throws BadConfiguration that names what is neither */
export function trustedProxies(list: string): readonly string[] {
  const entries = entriesOf(list);
  const wrong = entries.filter((entry) => !isNetwork(entry));
  if (wrong.length === 0) return entries;
  const named = wrong.map((entry) => JSON.stringify(entry)).join(', ');
  throw new BadConfiguration(`TRUST_PROXY: ${named}: not an address or a network such as 10.0.0.0/8`);
}

// Google's resolver, and addresses that RFC 5737 and RFC 3849 keep for documents: no list of some proxies holds them,
// and no half of all addresses is without one.
const STRANGERS = ['8.8.8.8', '192.0.2.1', '203.0.113.1', '2001:4860:4860::8888', '2001:db8::1'];
// The other half of IPv6 is not given out yet.
const NOBODY_YET = 'a000::1';
// Express takes no network of this size, but whoever writes one should hear why.
const WHOLE_RANGE = /\/(?:0+|0\.0\.0\.0)$/;

export function trustsEverybody(list: string): boolean {
  if (entriesOf(list).some((entry) => WHOLE_RANGE.test(entry))) return true;
  const trusts = trustOf(entriesOf(list).filter(isNetwork));
  return [...STRANGERS, NOBODY_YET].some(trusts);
}

const entriesOf = (list: string): string[] => list.split(',').map((entry) => entry.trim());

/** The address is looked at before Express sees it, which takes `1` for 0.0.0.1. */
function isNetwork(entry: string): boolean {
  if (isIP(entry.split('/')[0]!) === 0) return false;
  try {
    trustOf([entry]);
    return true;
  } catch {
    return false;
  }
}

/** Express's own reading of the list, by which it will believe headers. */
function trustOf(networks: readonly string[]): (address: string) => boolean {
  const trusts: (address: string, hop: number) => boolean = express()
    .set('trust proxy', networks)
    .get('trust proxy fn');
  return (address) => trusts(address, 0);
}
