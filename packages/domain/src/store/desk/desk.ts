import { Prisma } from '../../generated/client.js';
import type { Store } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import type { Actor } from '../operators/file-action.js';
import {
  assign,
  comment,
  type DeskChange,
  type DeskProblem,
  type SaidOnDesk,
  sendOut,
  setDue,
} from './change.js';

export { COMMENT_MAX, type DeskProblem } from './change.js';
export type { DeskFilter } from './filter.js';

/** Who works on a case, and until when. */
export type DeskEntry = Readonly<{
  /** The person who works on the case. Null: nobody has taken it. */
  assignee: string | null;
  /** The due time that a person has set. Null: nobody has set one. */
  dueAt: Date | null;
  /** 0: nobody has changed anything yet. */
  version: number;
}>;

/** What a person did about a case without deciding it. `text` is a comment, or what was changed. */
export type DeskAct = Readonly<{ id: string; at: Date; actor: string; verb: string; text: string }>;

/** How people share the open cases. Every change is filed as an action of its person. */
export interface Desk {
  /** The entries of cases, by the id of the case. A case without one has not been changed yet. */
  of(caseIds: readonly string[]): Promise<ReadonlyMap<string, DeskEntry>>;
  /** The acts about a case, oldest first: the newest HISTORY_MAX. */
  history(caseId: string): Promise<DeskAct[]>;
  /** Gives an open case to a person who may decide it, or to nobody. */
  assign(change: DeskChange & Readonly<{ assignee: string | null }>, by: Actor): Promise<DeskProblem | null>;
  setDue(change: DeskChange & Readonly<{ dueAt: Date | null }>, by: Actor): Promise<DeskProblem | null>;
  /** Adds a comment to an open case. */
  comment(said: SaidOnDesk, by: Actor): Promise<DeskProblem | null>;
  /** Sends an open case with a note to all open channels of notices. */
  send(said: SaidOnDesk, by: Actor): Promise<DeskProblem | null>;
  /** The channels that a case would be sent to. */
  channels(): Promise<string[]>;
}

const HISTORY_MAX = 200;

export const openDesk = (
  { run, read }: Pick<Store, 'run' | 'read'>,
  { newId }: Readonly<{ newId: () => string }>,
): Desk => ({
  of: async (caseIds) => {
    const rows = await read<DeskEntry & { caseId: string }>(Prisma.sql`
      select case_id as "caseId", assignee, due_at as "dueAt", version
      from case_desk
      where case_id = any(${caseIds.filter(isUuid)}::uuid[])`);
    return new Map(rows.map(({ caseId, ...entry }) => [caseId, entry]));
  },
  history: (caseId) =>
    read<DeskAct>(Prisma.sql`
      select *
      from (
        select id, at, actor, verb, reason as text
        from operator_action
        where subject = ${caseId} and case_id is not null and verb in ('comment', 'assign', 'due', 'send')
        order by id desc
        limit ${HISTORY_MAX}::int) newest
      order by id`),
  assign: (change, by) => assign(run, newId(), change, by),
  setDue: (change, by) => setDue(run, newId(), change, by),
  comment: (said, by) => comment(run, newId(), said, by),
  send: (said, by) => sendOut(run, newId(), said, by),
  channels: async () =>
    (
      await read<{ name: string }>(Prisma.sql`select name from notice_channel where is_open order by name`)
    ).map(({ name }) => name),
});
