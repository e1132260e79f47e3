import { BadConfiguration } from '@replenish/runtime';
import type { RedisOptions } from 'ioredis';

/** The options that an address may set. `replyMapping` is excluded, because it changes the types of answers. */
type AddressOptions = Omit<RedisOptions, 'replyMapping'>;

type Node = Readonly<{ host: string; port: number }>;

/** The address of Redis: one server, a primary that sentinels know by its name, or a cluster. */
export type RedisAddress =
  | Readonly<{ kind: 'single'; url: string }>
  | Readonly<{ kind: 'sentinel'; options: AddressOptions }>
  | Readonly<{ kind: 'cluster'; nodes: readonly Node[]; options: AddressOptions }>;

const FORMS =
  'redis://host:6379, redis-sentinel://host:26379,host2:26379/mymaster or redis-cluster://host:6379,host2:6379, ' +
  'each also as rediss for TLS';

// A WHATWG URL has one host only, so this pattern reads addresses with several hosts.
const SEVERAL_HOSTS =
  /^(?<scheme>rediss?)-(?<kind>sentinel|cluster):\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<hosts>[^@/?#]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/;

/** Reads REDIS_URL. @throws BadConfiguration, which never quotes the address, since it may hold a password */
export function redisAddressFrom(url: string): RedisAddress {
  if (/^rediss?:\/\//.test(url)) return { kind: 'single', url };
  const parts = SEVERAL_HOSTS.exec(url)?.groups;
  if (!parts) throw new BadConfiguration(`REDIS_URL: give ${FORMS}`);
  const { scheme, kind, user, password, hosts = '', path = '', query = '' } = parts;
  const secured = {
    ...(user ? { username: decodeURIComponent(user) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(scheme === 'rediss' ? { tls: {} } : {}),
  };
  const asked = new URLSearchParams(query);
  if (kind === 'cluster') {
    if (path !== '' || asked.size > 0)
      throw new BadConfiguration('REDIS_URL: a cluster has one database: give no path and no parameters');
    return { kind: 'cluster', nodes: nodesOf(hosts, 6_379), options: secured };
  }
  const sentinels = nodesOf(hosts, 26_379);
  const name = path === '' ? 'mymaster' : decodeURIComponent(path);
  return { kind: 'sentinel', options: { ...secured, ...sentinelOptions(asked), sentinels, name } };
}

const SENTINEL_PARAMETERS = new Set(['db', 'sentinelUsername', 'sentinelPassword']);

function sentinelOptions(asked: URLSearchParams): AddressOptions {
  for (const name of asked.keys())
    if (!SENTINEL_PARAMETERS.has(name))
      throw new BadConfiguration(
        `REDIS_URL: unknown parameter ${name}: known are ${[...SENTINEL_PARAMETERS].join(', ')}`,
      );
  const db = asked.get('db') ?? '0';
  if (!/^\d{1,4}$/.test(db)) throw new BadConfiguration('REDIS_URL: db is a number');
  const [sentinelUsername, sentinelPassword] = [asked.get('sentinelUsername'), asked.get('sentinelPassword')];
  return {
    db: Number(db),
    ...(sentinelUsername === null ? {} : { sentinelUsername }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
  };
}

function nodesOf(hosts: string, portWhenNone: number): Node[] {
  return hosts.split(',').map((text) => {
    const [, host, port] = /^(\[[\da-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(text.trim()) ?? [];
    const number = port === undefined ? portWhenNone : Number(port);
    if (host === undefined || number < 1 || number > 65_535)
      throw new BadConfiguration(`REDIS_URL: ${FORMS}: one of its hosts cannot be read`);
    return { host: host.replace(/^\[|\]$/g, ''), port: number };
  });
}
