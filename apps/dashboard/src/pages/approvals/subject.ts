import type { ApprovalView } from '@replenish/domain';
import type { PageCall } from '../frame/call.js';
import { accountLink, money, shortId } from '../frame/format.js';
import { type Html, html } from '../frame/html.js';

/** What an approval moves: the amount of a recharge, or the most that a rule may create in a month. */
export function amountOf({ recharge, rule }: ApprovalView): Html | null {
  if (recharge) return money(BigInt(recharge.amountMinor), recharge.currency);
  return rule && money(BigInt(rule.perMonthMinor), rule.currency);
}

/** The account of what is approved. Of something without an account: its id. */
export const placeOf = ({ recharge, rule, subject }: ApprovalView): Html | string => {
  const about = recharge ?? rule;
  return about ? accountLink(about.accountId) : subject;
};

export const askedBy = ({ recharge, rule, requestedBy }: ApprovalView): string =>
  (recharge ?? rule)?.client ?? requestedBy;

/** The facts of the version of a rule. None for anything else. */
export function ruleFacts({ rule }: ApprovalView, say: PageCall['say']): (readonly [string, Html])[] {
  if (!rule) return [];
  const sum = (minor: string): Html => money(BigInt(minor), rule.currency);
  return [
    [
      say('Rule'),
      html`<a class="id" href="/rules/${rule.ruleId}" title="${rule.ruleId}">${shortId(rule.ruleId)}</a>`,
    ],
    [say('Below'), sum(rule.belowMinor)],
    [say('Most per recharge'), sum(rule.perRechargeMinor)],
    [say('Most per day'), sum(rule.perDayMinor)],
    [say('Most per month'), sum(rule.perMonthMinor)],
  ];
}
