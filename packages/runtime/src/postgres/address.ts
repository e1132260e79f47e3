/** The URL parameters that the driver supports, with their allowed values. Null: any text. */
const known: Readonly<Record<string, readonly string[] | null>> = {
  application_name: null,
  host: null,
  options: null,
  ssl: ['true', '1', '0'],
  sslcert: null,
  sslkey: null,
  sslmode: ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'],
  sslnegotiation: ['postgres', 'direct'],
  sslrootcert: null,
  uselibpqcompat: ['true'],
};

/** Advice for parameters that other tools support. */
const advice: Readonly<Record<string, string>> = {
  schema: 'the books are in schema public: give each environment a database of its own',
  search_path: 'the books are in schema public: give each environment a database of its own',
  connection_limit: 'set DATABASE_POOL_MAX',
  pgbouncer: 'a pooler works in session mode only, which needs no parameter',
  target_session_attrs: 'name one address, of the server that takes writes',
};

/**
 * Faults of a Postgres address. Empty if there are none. The driver silently ignores a parameter that it does not know.
 * With `schema`, for example, two environments would use the same tables without notice.
 */
export function faultsOfAddress(address: string): string[] {
  if (!/^postgres(ql)?:\/\//.test(address)) return ['begins with postgres:// or postgresql://'];
  if (/^[^/?#]*\/\/[^/?#]*,/.test(address.replace(/\/\/[^/?#]*@/, '//')))
    return ['names several hosts: name one, a name or a virtual address that follows a failover'];
  if (!URL.canParse(address))
    return ['is no URL: characters such as @ : / ? # in the password are written as %40 etc.'];
  const url = new URL(address);
  const names = [...new Set(url.searchParams.keys())];
  return [
    ...(url.hash ? ['has a fragment (#): write # in the password as %23'] : []),
    ...names.flatMap((name) => faultOfParameter(name, url.searchParams.getAll(name))),
  ];
}

function faultOfParameter(name: string, values: readonly string[]): string[] {
  if (!Object.hasOwn(known, name)) {
    const what = advice[name] ?? `known are ${Object.keys(known).join(', ')}`;
    return [`the parameter ${name} is not supported: ${what}`];
  }
  if (values.length > 1) return [`the parameter ${name} is given more than once`];
  const allowed = known[name];
  if (!allowed || allowed.includes(values[0]!)) return [];
  return [`the parameter ${name} takes ${allowed.join(', ')}`];
}
