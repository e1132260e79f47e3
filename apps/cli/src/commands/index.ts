import type { Declare } from '../command.js';
import { start } from '../start/command.js';
import { account } from './account/index.js';
import { audit } from './audit.js';
import { bulk } from './bulk/index.js';
import { caseCommand } from './case/index.js';
import { chain } from './chain.js';
import { client } from './client/index.js';
import { completion } from './completion.js';
import { demo } from './demo/index.js';
import { evidence } from './evidence/index.js';
import { exportCommand } from './export/index.js';
import { importCommand } from './import.js';
import { migrate } from './migrate.js';
import { payee } from './payee/index.js';
import { plan } from './plan/index.js';
import { provider } from './provider/index.js';
import { reconcile } from './reconcile/index.js';
import { rekey } from './rekey.js';
import { unlock } from './unlock.js';
import { user } from './user/index.js';
import { verify } from './verify.js';

/** All commands in the order of the help. A new command is a file of its own and a line here. */
export const commands: readonly Declare[] = [
  start,
  demo,
  client,
  user,
  payee,
  plan,
  account,
  provider,
  caseCommand,
  bulk,
  verify,
  chain,
  evidence,
  exportCommand,
  importCommand,
  reconcile,
  audit,
  unlock,
  rekey,
  migrate,
  completion,
];
