import { Misuse, parseCommandLine, usageFor } from './arguments.js';
import type { Command, Desk } from './command.js';
import type { FormName } from './syntax.js';

/** Loaded only when called for: `replenish start` should not wait for what `replenish verify` needs. */
const loads: { readonly [N in FormName]: () => Promise<Command<N>> } = {
  start: async () => (await import('./start/index.js')).start,
  demo: async () => (await import('./commands/demo.js')).demo,
  'client create': async () => (await import('./commands/client.js')).create,
  'client list': async () => (await import('./commands/client.js')).list,
  'client rotate': async () => (await import('./commands/client.js')).rotate,
  'client revoke': async () => (await import('./commands/client.js')).revoke,
  rekey: async () => (await import('./commands/rekey.js')).rekey,
  verify: async () => (await import('./commands/verify.js')).verify,
  reconcile: async () => (await import('./commands/reconcile.js')).reconcile,
  audit: async () => (await import('./commands/audit.js')).list,
  'audit drop': async () => (await import('./commands/audit.js')).drop,
  unlock: async () => (await import('./commands/unlock.js')).unlock,
  'dashboard-password': async () => (await import('./commands/dashboard-password.js')).dashboardPassword,
  migrate: async () => (await import('./commands/migrate.js')).migrate,
};

/** Exit codes: 2 for a misuse, 1 for what did not work, else the command's own. */
export async function run(args: readonly string[], desk: Desk): Promise<number> {
  try {
    const parsed = parseCommandLine(args);
    if ('help' in parsed) {
      desk.say(parsed.help);
      return 0;
    }
    const command = (await loads[parsed.name]()) as Command<FormName>;
    return await command({ ...desk, ...parsed });
  } catch (error) {
    if (error instanceof Misuse) {
      desk.complain(`${error.message}\n\n${usageFor(args)}`);
      return 2;
    }
    if (args.includes('--json')) desk.say(JSON.stringify({ ok: false, error: reasonOf(error) }));
    else desk.complain(reasonOf(error));
    return 1;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isAway = error.name === 'StoreUnavailable' || (error as { code?: unknown }).code === 'ECONNREFUSED';
  if (isAway) return 'the database does not answer: is the fleet up (npm start), or DATABASE_URL wrong?';
  return error.message;
}
