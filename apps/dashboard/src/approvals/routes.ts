import type { ApprovalProblem, ApprovalStatus, ApprovalView, Domain } from '@replenish/domain';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import {
  currentUser,
  type RefusalCode,
  refuse,
  requireCsrf,
  requireFreshCode,
  requireRole,
} from '../people/index.js';

export type ApprovalDeps = Readonly<{
  approvals: Domain['approvals'];
  /** Called with an approved recharge, which may be sent now. */
  onApproved: (recharge: Readonly<{ id: string; provider: string }>) => void;
}>;

const STATUSES: readonly string[] = ['pending', 'approved', 'refused', 'expired'] satisfies ApprovalStatus[];
const LIMIT_MAX = 100;
const LIMIT = 50;
const REASON_MAX = 500;

/**
 * `/v1/approvals`: everybody who is signed in may read them. Approvers decide, with a fresh code in the field `code` or
 * in the header `X-TOTP-Code`.
 */
export function approvalRoutes(deps: ApprovalDeps): Router {
  const router = Router();
  const { approvals } = deps;
  const locks = [requireRole('approver'), requireCsrf];
  router.get('/v1/approvals', requireRole('viewer'), async (request, response) => {
    const asked = filterIn(request);
    if (typeof asked === 'string') return refuse(request, response, 'INVALID_ARGUMENT', asked);
    const { rows, nextId } = await approvals.list(asked);
    response.json({ data: rows.map(approvalBody), nextCursor: nextId });
  });
  router.get('/v1/approvals/:id', requireRole('viewer'), async (request, response) => {
    const found = await approvals.one(String(request.params.id));
    if (!found) return refuse(request, response, 'NOT_FOUND', problems.unknown_approval.detail);
    response.json(approvalBody(found));
  });
  router.post('/v1/approvals/:id/approve', ...locks, requireFreshCode, decider(deps, 'approve'));
  router.post('/v1/approvals/:id/refuse', ...locks, requireReason, requireFreshCode, decider(deps, 'refuse'));
  return router;
}

const requireReason: RequestHandler = (request, response, next) => {
  const reason = reasonIn(request);
  if (reason !== '' && reason.length <= REASON_MAX) return next();
  refuse(request, response, 'INVALID_ARGUMENT', `a reason is needed, of at most ${REASON_MAX} characters`);
};

const reasonIn = (request: Request): string => {
  const reason: unknown = request.body?.reason;
  return typeof reason === 'string' ? reason.trim() : '';
};

const decider =
  ({ approvals, onApproved }: ApprovalDeps, verb: 'approve' | 'refuse') =>
  async (request: Request, response: Response): Promise<void> => {
    const { name, role } = currentUser(request)!;
    const reason = reasonIn(request).slice(0, REASON_MAX) || 'approved';
    const decided = await approvals.decide({
      ...{ approvalId: String(request.params.id), verb, reason },
      ...{ actor: name, role },
    });
    if (!decided.ok) {
      const { code, detail } = problems[decided.problem];
      return refuse(request, response, code, detail);
    }
    if (decided.submits) onApproved(decided.submits);
    response.json(approvalBody(decided.approval));
  };

const problems: Readonly<Record<ApprovalProblem, Readonly<{ code: RefusalCode; detail: string }>>> = {
  unknown_approval: { code: 'NOT_FOUND', detail: 'there is no such approval' },
  own_request: {
    code: 'UNAUTHORIZED',
    detail: 'the one who asked cannot approve, nor who made or rotated the key',
  },
  void: { code: 'INVALID_STATE', detail: 'what it is about has changed since, so it is refused' },
  decided: { code: 'INVALID_STATE', detail: 'it is decided already, or it has expired' },
};

/** An approval as JSON, in the form of the API. Amounts are minor units. */
export const approvalBody = ({ recharge, rule, ...approval }: ApprovalView): object => ({
  ...approval,
  recharge: recharge && rechargeBody(recharge),
  rule: rule && ruleBody(rule),
});

const rechargeBody = ({ amountMinor, ...recharge }: NonNullable<ApprovalView['recharge']>): object => ({
  ...recharge,
  amount: Number(amountMinor),
});

const ruleBody = (approved: NonNullable<ApprovalView['rule']>): object => {
  const { belowMinor, perRechargeMinor, perDayMinor, perMonthMinor, ...rule } = approved;
  const caps = {
    perRecharge: Number(perRechargeMinor),
    perDay: Number(perDayMinor),
    perMonth: Number(perMonthMinor),
  };
  return { ...rule, below: Number(belowMinor), caps };
};

type ApprovalQuery = Parameters<Domain['approvals']['list']>[0];

function filterIn({ query }: Request): ApprovalQuery | string {
  const { status, limit = String(LIMIT), cursor, ...others } = query as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `${unknown} is not a known parameter`;
  if (status !== undefined && !STATUSES.includes(status as string))
    return `status must be one of ${STATUSES.join(', ')}`;
  if (typeof limit !== 'string' || !/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > LIMIT_MAX)
    return `limit must be a whole number from 1 to ${LIMIT_MAX}`;
  if (cursor !== undefined && typeof cursor !== 'string') return 'cursor must be one that was returned';
  return { status: status as ApprovalStatus | undefined, limit: Number(limit), beforeId: cursor };
}
