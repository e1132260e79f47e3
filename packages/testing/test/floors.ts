import { dirname } from 'node:path';
import { type Source, targetOf } from './source.js';

/**
 * The rooms of a package, by floor, lowest first. A room is a folder, or a file directly below `src`. A room may import
 * rooms of lower floors only, so it can be read without the floors above it.
 */
const floors: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'apps/ingress/src/': [
    ['http'],
    ['server', 'input', 'health', 'webhooks', 'limits'],
    ['audit', 'auth'],
    [
      'accounts',
      'callbacks',
      'cases',
      'exports',
      'payees',
      'proof',
      'protection',
      'statements',
      'reconciliations',
    ],
    ['recharges'],
    ['refunds', 'evidence', 'rules', 'plans'],
    ['openapi'],
    ['docs'],
    ['app.ts'],
    ['main.ts'],
  ],
  'apps/cli/src/': [
    ['actor.ts', 'command.ts', 'values.ts', 'books.ts', 'start/state'],
    ['start', 'progress.ts', 'table.ts', 'desk-filter.ts'],
    [
      'commands/account',
      'commands/bulk',
      'commands/case',
      'commands/client',
      'commands/evidence',
      'commands/export',
      'commands/payee',
      'commands/plan',
      'commands/provider',
      'commands/demo',
      'commands/reconcile',
      'commands/user',
    ],
    ['commands'],
    ['program.ts'],
    ['run.ts'],
    ['main.ts'],
  ],
};

/** One sentence per import of a room on the same or a higher floor. */
export const roomsImportDownward = (sources: readonly Source[]): string[] =>
  Object.entries(floors).flatMap(([at, plan]) =>
    sources
      .filter(({ path }) => path.startsWith(at))
      .flatMap((source) => {
        const room = roomOf(at, source.path);
        const floor = floorOf(plan, room);
        if (floor < 0) return [`${source.path}: its room has no floor`];
        const targets = source.imports.flatMap((one) => targetOf(source, one) ?? []);
        return targets
          .filter((target) => target.startsWith(at) && roomOf(at, target) !== room)
          .filter((target) => !(floorOf(plan, roomOf(at, target)) < floor))
          .map((target) => `${source.path} imports ${target}, which is on no lower floor`);
      }),
  );

/** The room of a file. A folder that no floor lists belongs to the room around it. */
const roomOf = (at: string, path: string): string => {
  const inside = path.slice(at.length);
  if (!inside.includes('/')) return inside;
  const rooms = floors[at]?.flat() ?? [];
  let room = dirname(inside);
  while (!rooms.includes(room) && room.includes('/')) room = dirname(room);
  return room;
};

const floorOf = (plan: readonly (readonly string[])[], room: string): number =>
  plan.findIndex((rooms) => rooms.includes(room));
