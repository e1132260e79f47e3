import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const prismaDir = join(import.meta.dirname, '..', '..', '..', '..', '..', 'prisma');

/** The migrations of this release, in the order in which they are applied. */
export const migrationNames = (): string[] =>
  readdirSync(join(prismaDir, 'migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
