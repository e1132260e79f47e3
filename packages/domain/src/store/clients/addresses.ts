import { BlockList, isIP } from 'node:net';

/**
 * Returns a function that tells whether an address is in a list of addresses and networks (CIDR). An IPv4 address in
 * IPv6's form (`::ffff:10.0.0.1`) counts as IPv4. An empty list allows every address.
 * @throws for an entry that is neither an address nor a network
 */
export function addressTest(entries: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const entry of entries) add(list, entry);
  return (address) => {
    if (entries.length === 0) return true;
    if (address === undefined) return false;
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}

function add(list: BlockList, entry: string): void {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  if (version === 0 || length > bits || address.includes('%'))
    throw new Error(`${entry} is no IP address and no network like 10.0.0.0/8`);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined && length >= 96) list.addSubnet(mapped, length - 96, 'ipv4');
  else list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
}
