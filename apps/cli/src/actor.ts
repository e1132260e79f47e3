import { userInfo } from 'node:os';
import type { Actor } from '@replenish/domain';

export const ACTOR_OPTION = ['--actor <name>', 'who does it, if it is not the user of this machine'] as const;

/** The person at the command line, by the user of the machine unless another name is given. */
export const actorOf = (name: string = userInfo().username): Actor => ({ actor: name, role: 'command_line' });
