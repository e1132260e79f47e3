import type { Domain, IsRefunding } from '@replenish/domain';
import type { Queues } from '@replenish/queues';
import type { Logger } from '@replenish/runtime';
import { type RequestHandler, Router, urlencoded } from 'express';
import { accountPage, accountsPage } from './accounts/pages.js';
import {
  type ApprovalPagesDeps,
  approvalPage,
  approvalsPage,
  approvalVerbPage,
  decideApproval,
} from './approvals/pages.js';
import { makeBulk, newBulkPage } from './bulk/new-page.js';
import { bulkChangePage, bulkChanges, bulkPage, bulksPage, changeBulk } from './bulk/pages.js';
import { callbacksPage } from './callbacks/list-page.js';
import { doReplay, replayPage } from './callbacks/verbs.js';
import { changeDesk, deskPage, deskVerbs } from './cases/desk-pages.js';
import { casesPage } from './cases/list-page.js';
import { casePage } from './cases/one-page.js';
import { caseVerbPage, decideCase } from './cases/verb-page.js';
import { changeKey, clientsPage, keyVerbPage, makeClient, newClientPage } from './clients/pages.js';
import { assetRoutes } from './frame/assets.js';
import { type ConsoleFrame, type PageCall, type ShownPage, showing } from './frame/call.js';
import { depthReader } from './overview/depth.js';
import { overviewPage } from './overview/page.js';
import { planPage, plansPage } from './plans/pages.js';
import { doPlanVerb, planVerbPage } from './plans/verbs.js';
import { providersPage } from './providers/page.js';
import type { ConfiguredAccount } from './providers/tables.js';
import { sendEvidence } from './recharges/evidence.js';
import { rechargesPage } from './recharges/list-page.js';
import { rechargePage } from './recharges/one-page.js';
import { doRechargeVerb, rechargeVerbPage } from './recharges/verbs.js';
import { rulesPage } from './rules/list-page.js';
import { rulePage } from './rules/one-page.js';
import { doRuleVerb, doStopVerb, ruleVerbPage, stopVerbPage } from './rules/verbs.js';
import { auditPage, securityPage } from './trail/pages.js';

export type ConsoleDeps = ConsoleFrame &
  Readonly<{
    domain: Pick<
      Domain,
      | 'console'
      | 'reads'
      | 'cases'
      | 'desk'
      | 'bulks'
      | 'applyNews'
      | 'recheck'
      | 'clients'
      | 'security'
      | 'audit'
      | 'balances'
      | 'payees'
      | 'approvals'
      | 'rules'
      | 'plans'
      | 'evidence'
      | 'operators'
      | 'callbacks'
    >;
    queues: Pick<Queues, 'depth' | 'hint'>;
    /** The names of the providers. */
    names: readonly string[];
    /** The configured accounts at providers. */
    accounts: readonly ConfiguredAccount[];
    isRefunding: IsRefunding;
    cancels: (provider: string, providerAccount: string) => boolean;
    onApproved: ApprovalPagesDeps['onApproved'];
    slaMs: number;
    /** The time from the opening of a case to its due time, where a person has set none. */
    casesDueMs: number;
    log: Logger;
  }>;

const FORM_MAX = '16kb';

type Write<D> = (deps: D, call: PageCall) => Promise<ShownPage | null>;

/** The styles and the script, which people without a session need as well. */
export { assetRoutes };

/** The pages of the console. The caller has checked that there is a session. */
export function consoleRoutes(deps: ConsoleDeps): Router {
  const { people } = deps;
  const router = Router();
  const parse = urlencoded({ extended: false, limit: FORM_MAX });
  const get = (path: string, write: Write<ConsoleDeps>, ...guards: readonly RequestHandler[]): unknown =>
    router.get(
      path,
      ...guards,
      showing(deps, (call) => write(deps, call)),
    );
  const post = (path: string, role: RequestHandler, write: Write<ConsoleDeps>): unknown =>
    router.post(
      path,
      role,
      parse,
      people.requireCsrf,
      showing(deps, (call) => write(deps, call)),
    );
  const operator = people.requireRole('operator');
  const [admin, approver] = [people.requireRole('admin'), people.requireRole('approver')];
  const depth = depthReader(deps.queues, () => deps.now().getTime());
  get('/', (_, call) => overviewPage({ ...deps, depth }, call));
  get('/recharges', rechargesPage);
  get('/recharges/:id', rechargePage);
  get('/recharges/:id/evidence', sendEvidence);
  for (const verb of ['cancel', 'recheck'] as const) {
    get(`/recharges/:id/${verb}`, (_, call) => rechargeVerbPage(deps, call, verb), operator);
    post(`/recharges/:id/${verb}`, operator, (_, call) => doRechargeVerb(deps, call, verb));
  }
  caseRoutes({ deps, get, post, operator });
  bulkRoutes({ deps, get, post, operator });
  get('/accounts', accountsPage);
  get('/accounts/:id', accountPage);
  get('/providers', providersPage);
  automationRoutes({ deps, get, post, operator });
  get('/approvals', approvalsPage);
  get('/approvals/:id', approvalPage);
  get('/approvals/:id/:verb', approvalVerbPage, approver);
  post('/approvals/:id/:verb', approver, decideApproval);
  get('/clients', clientsPage, admin);
  get('/clients/new', newClientPage, admin);
  post('/clients/new', admin, makeClient);
  get('/clients/:id/:verb', keyVerbPage, admin);
  post('/clients/:id/:verb', admin, changeKey);
  get('/audit', auditPage, admin);
  get('/security', securityPage, admin);
  return router;
}

type RoutedPages = Readonly<{
  deps: ConsoleDeps;
  get: (path: string, write: Write<ConsoleDeps>, ...guards: readonly RequestHandler[]) => unknown;
  post: (path: string, role: RequestHandler, write: Write<ConsoleDeps>) => unknown;
  operator: RequestHandler;
}>;

function caseRoutes({ deps, get, post, operator }: RoutedPages): void {
  get('/cases', casesPage);
  get('/cases/:id', casePage);
  for (const verb of deskVerbs) {
    get(`/cases/:id/${verb}`, (_, call) => deskPage(deps, call, verb), operator);
    post(`/cases/:id/${verb}`, operator, (_, call) => changeDesk(deps, call, verb));
  }
  get('/cases/:id/:verb', caseVerbPage, operator);
  post('/cases/:id/:verb', operator, decideCase);
}

function bulkRoutes({ deps, get, post, operator }: RoutedPages): void {
  get('/bulk', bulksPage);
  get('/bulk/new', newBulkPage, operator);
  post('/bulk/new', operator, makeBulk);
  get('/bulk/:id', bulkPage);
  for (const verb of bulkChanges) {
    get(`/bulk/:id/${verb}`, (_, call) => bulkChangePage(deps, call, verb), operator);
    post(`/bulk/:id/${verb}`, operator, (_, call) => changeBulk(deps, call, verb));
  }
}

function automationRoutes({ deps, get, post, operator }: RoutedPages): void {
  get('/rules', rulesPage);
  for (const verb of ['stop', 'start'] as const) {
    get(`/rules/${verb}`, (_, call) => stopVerbPage(deps, call, verb), operator);
    post(`/rules/${verb}`, operator, (_, call) => doStopVerb(deps, call, verb));
  }
  get('/rules/:id', rulePage);
  get('/rules/:id/:verb', ruleVerbPage, operator);
  post('/rules/:id/:verb', operator, doRuleVerb);
  get('/callbacks', callbacksPage);
  get('/callbacks/:id/replay', replayPage, operator);
  post('/callbacks/:id/replay', operator, doReplay);
  get('/plans', plansPage);
  get('/plans/:id', planPage);
  get('/plans/:id/:verb', planVerbPage, operator);
  post('/plans/:id/:verb', operator, doPlanVerb);
}
