import type { DeskFilter } from '@replenish/domain';
import type { Env } from '@replenish/runtime';

export const DESK_OPTION = [
  '--desk <share>',
  'only those of --actor, of nobody, or whose due time is over',
] as const;

/** The cases of one person, those of nobody, or those that are overdue. */
export async function deskFilter(
  env: Env,
  share: 'mine' | 'unassigned' | 'overdue' | undefined,
  me: string,
): Promise<DeskFilter | undefined> {
  if (share === undefined) return undefined;
  if (share !== 'overdue') return { assignee: share === 'mine' ? me : null };
  const { readConfig } = await import('@replenish/runtime');
  return { overdueAfterMs: readConfig(env).CASES_DUE_MS };
}
