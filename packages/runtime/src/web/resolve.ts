import { Resolver } from 'node:dns/promises';

const TRY_MS = 2_000;
const TRIES = 2;

/**
 * The addresses of a name, IPv4 first. It asks the servers of this machine directly: the resolver of the system has four
 * threads, and four names whose servers do not answer would stop every other look-up of the process.
 * @param servers the name servers to ask, as `address:port`. Default: those of this machine
 * @throws the fault of the IPv4 question if the name has no address of either kind
 */
export async function addressesOf(
  host: string,
  signal?: AbortSignal,
  servers: readonly string[] = [],
): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = [four, six].flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    if (found.length === 0 && four.status === 'rejected') throw four.reason;
    return found;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
