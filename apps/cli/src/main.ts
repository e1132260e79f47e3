import type { Command } from './command.js';

type Entry = Readonly<{ about: string; load: () => Promise<Command> }>;

/** Loaded only when called for: `replenish start` should not wait for what `replenish verify` needs. */
const commands: Readonly<Record<string, Entry>> = {
  start: {
    about: 'start everything on this machine',
    load: async () => (await import('./start/index.js')).start,
  },
  demo: {
    about: 'one recharge from request to ledger, as it happens',
    load: async () => (await import('./commands/demo.js')).demo,
  },
  client: {
    about: 'create, list, rotate and revoke the keys of producers',
    load: async () => (await import('./commands/client.js')).client,
  },
  rekey: {
    about: 'seal the secrets of all keys again with the first master key',
    load: async () => (await import('./commands/rekey.js')).rekey,
  },
  verify: {
    about: 'check every invariant of the books; exit 0 only when all hold',
    load: async () => (await import('./commands/verify.js')).verify,
  },
  reconcile: {
    about: 'look at due recharges now',
    load: async () => (await import('./commands/reconcile.js')).reconcile,
  },
  audit: {
    about: 'what was called, by whom, and how it ended; drop old months',
    load: async () => (await import('./commands/audit.js')).audit,
  },
  unlock: {
    about: 'free a key that a security rule has locked',
    load: async () => (await import('./commands/unlock.js')).unlock,
  },
  'dashboard-password': {
    about: 'make a password for the dashboard',
    load: async () => (await import('./commands/dashboard-password.js')).dashboardPassword,
  },
  migrate: {
    about: 'bring the database to the current schema',
    load: async () => (await import('./commands/migrate.js')).migrate,
  },
};

const usage = (): string =>
  [
    'usage: replenish <command> [options]',
    '',
    ...Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(18)} ${about}`),
    '',
    '--json prints for machines. Settings are environment variables: see docs/configuration.md',
    '',
  ].join('\n');

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(usage());
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry) {
    process.stderr.write(`${name === '' ? 'no command given' : `unknown command: ${name}`}\n\n${usage()}`);
    return 2;
  }
  const command = await entry.load();
  return command({
    args,
    env: process.env,
    say: (line) => process.stdout.write(`${line}\n`),
    complain: (line) => process.stderr.write(`${line}\n`),
  });
}

// A reader that goes away (`| head`, a closed terminal) must not keep anything from being closed in order.
process.stdout.on('error', () => {});
process.exit(
  await main().catch((error: unknown) => {
    process.stderr.write(`${reasonOf(error)}\n`);
    return 1;
  }),
);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isAway = error.name === 'StoreUnavailable' || (error as { code?: unknown }).code === 'ECONNREFUSED';
  if (isAway) return 'the database does not answer: is the fleet up (npm start), or DATABASE_URL wrong?';
  return error.message;
}
