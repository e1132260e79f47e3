import type { Domain } from '@replenish/domain';
import type { ShownBulk } from './words.js';

/** @throws if there is no such bulk verb */
export async function present({ bulks }: Pick<Domain, 'bulks'>, id: string): Promise<ShownBulk> {
  const found = await bulks.one(id);
  if (!found) throw new Error('there is no such bulk verb');
  return found;
}
