import { mkdirSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';

/**
 * Opens a store in a folder, which only one process may use at a time. The system writes it to the disk, so a crash of
 * the process loses nothing, and one of the machine may. `close` waits until everything is written.
 */
export function openStoreFolder(folder: string): { root: RootDatabase; close: () => Promise<void> } {
  mkdirSync(folder, { recursive: true });
  const root = open({ path: folder, noSubdir: false, noSync: true, maxDbs: 16 });
  return {
    root,
    close: async () => {
      await root.committed;
      await root.close();
    },
  };
}
