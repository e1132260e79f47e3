import { dirname } from 'node:path';
import type { Source } from './source.js';

const FOLDER_FILES_MAX = 12;

/** A folder of shipped code has few files, so that one look at their names shows what the folder is about. */
export const foldersAreSmall = (sources: readonly Source[]): string[] => {
  const files = new Map<string, number>();
  for (const { path } of sources) {
    const folder = dirname(path);
    if (/^(apps|packages)\/[^/]+\/src\b/.test(folder)) files.set(folder, (files.get(folder) ?? 0) + 1);
  }
  return [...files].flatMap(([folder, count]) =>
    count > FOLDER_FILES_MAX ? [`${folder} has ${count} files, ${FOLDER_FILES_MAX} are the limit`] : [],
  );
};

const EMPTY_NAMES = ['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc'];

export const namesSaySomething = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path }) => {
    const empty = path.split(/[/.-]/).filter((word) => EMPTY_NAMES.includes(word.toLowerCase()));
    return empty.map((word) => `${path}: "${word}" says nothing about what is inside`);
  });
