import { askedId } from '@replenish/assembly';
import { type Domain, isFinal, type RechargeView } from '@replenish/domain';
import { type Queues, queueOf } from '@replenish/queues';
import type { Logger } from '@replenish/runtime';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { formOf, type VerbForm } from '../frame/form.js';
import { codeMark, money } from '../frame/format.js';
import { type Html, html } from '../frame/html.js';
import { noRecharge } from './missing.js';

/** What verbs need beside the reads. `cancels`: whether a provider can end an order that nobody has paid. */
export type RechargeVerbDeps = Readonly<{
  domain: Pick<Domain, 'reads' | 'applyNews' | 'recheck' | 'operators'>;
  queues: Pick<Queues, 'hint'>;
  log: Logger;
  cancels: (provider: string, providerAccount: string) => boolean;
}>;

export type RechargeVerb = 'cancel' | 'recheck';

/** The verbs that a recharge allows now. */
export function rechargeVerbs(r: RechargeView): readonly Readonly<{ verb: RechargeVerb; text: string }>[] {
  const asks = isAskable(r) ? [{ verb: 'recheck', text: 'Ask the provider now' } as const] : [];
  const ends = isCancelable(r) ? [{ verb: 'cancel', text: 'Cancel' } as const] : [];
  return [...asks, ...ends];
}

const isAskable = (r: RechargeView): boolean => askedId(r) !== null;

const isCancelable = (r: RechargeView): boolean =>
  r.state === 'CREATED' ||
  (r.state === 'PENDING_CONFIRMATION' && r.action !== null && r.nextStep !== 'cancel');

/** What a verb would do, before it is confirmed. */
export async function rechargeVerbPage(
  deps: RechargeVerbDeps,
  call: PageCall,
  verb: RechargeVerb,
): Promise<ShownPage> {
  const id = String(call.request.params.id);
  const recharge = await deps.domain.reads.recharge(id);
  if (!recharge) return noRecharge(call, id);
  return pageOf(recharge, call, verb);
}

function pageOf(r: RechargeView, call: PageCall, verb: RechargeVerb, fault?: string): ShownPage {
  const { say } = call;
  const isOffered = rechargeVerbs(r).some((one) => one.verb === verb);
  const title = verb === 'cancel' ? say('Cancel this recharge') : say('Ask the provider now');
  const form: VerbForm = {
    action: `/recharges/${r.id}/${verb}`,
    button: title,
    back: `/recharges/${r.id}`,
    stamp: stampOf(r),
    fault: fault ?? null,
  };
  return {
    title,
    status: fault === undefined ? 200 : 409,
    body: html`<p class="headline">${codeMark(r.state, say)} ${money(r.amountMinor, r.currency)} · ${r.accountId}</p>
${isOffered ? html`<section class="consequence"><h2>${say('What will happen')}</h2>${consequence(r, verb, call)}</section>${formOf(form, call)}` : html`<p class="alarm" role="alert">${fault ?? say('This cannot be done any more: the recharge is {state}.', { state: say(r.state) })}</p><p><a class="button" href="/recharges/${r.id}">${say('Back to the recharge')}</a></p>`}`,
  };
}

function consequence(r: RechargeView, verb: RechargeVerb, { say }: PageCall): Html {
  if (verb === 'recheck')
    return html`<ul><li>${say('The provider is asked about the order at once. No money moves by that.')}</li><li>${say('Its answer may settle, fail or open a case, as always.')}</li></ul>`;
  if (r.state === 'CREATED')
    return html`<ul><li>${codeMark('CREATED', say)} → ${codeMark('CANCELED', say)}</li><li>${say('It was not sent, so the provider is told nothing.')}</li><li>${say('Money that is held for it is available again.')}</li></ul>`;
  return html`<ul><li>${say('The provider is asked to end the order. Only its word cancels the recharge.')}</li><li>${say('If the payer is faster, the recharge succeeds.')}</li></ul>`;
}

/** Changes with every move, so that a form of an old page is recognized. */
const stampOf = (r: RechargeView): string => `${r.state} ${r.nextStep ?? ''} ${r.updatedAt.getTime()}`;

/** Carries a verb out once, and shows the recharge afterwards. */
export async function doRechargeVerb(
  deps: RechargeVerbDeps,
  call: PageCall,
  verb: RechargeVerb,
): Promise<ShownPage | null> {
  const id = String(call.request.params.id);
  const recharge = await deps.domain.reads.recharge(id);
  if (!recharge) return noRecharge(call, id);
  const { say } = call;
  const reason = call.sent('reason');
  if (!may(call, 'operator')) throw new Error('a person without the role came to a verb');
  if (reason === '') return pageOf(recharge, call, verb, say('A reason is needed.'));
  if (verb === 'cancel' && call.sent('stamp') !== stampOf(recharge))
    return pageOf(
      recharge,
      call,
      verb,
      say('Nothing was done: the recharge has changed since you looked. Look at it again.'),
    );
  const fault =
    verb === 'cancel' ? await canceled(deps, call, recharge) : await rechecked(deps, call, recharge);
  if (fault !== null) return pageOf((await deps.domain.reads.recharge(id)) ?? recharge, call, verb, fault);
  const by = { actor: call.user.name, role: call.user.role };
  await deps.domain.operators.file({ ...by, verb, subject: id, reason, transactionId: id });
  deps.log.info({ ...by, transactionId: id, verb, reason }, 'verb of an operator');
  call.response.redirect(303, `/recharges/${id}`);
  return null;
}

async function canceled(
  { domain, queues, cancels }: RechargeVerbDeps,
  call: PageCall,
  r: RechargeView,
): Promise<string | null> {
  const { verdict } = await domain.applyNews({
    transactionId: r.id,
    news: 'withdraw',
    source: 'operator',
    reason: `canceled by ${call.user.name}: ${call.sent('reason')}`,
    isCancelable: cancels(r.provider, r.providerAccount),
  });
  const after = await domain.reads.recharge(r.id);
  if (after?.nextStep === 'cancel') void queues.hint(`reconciliation-${after.provider}`, [after.id]);
  const isDone = verdict === 'moved' || after?.state === 'CANCELED' || after?.nextStep === 'cancel';
  return isDone
    ? null
    : call.say('Too late to cancel: the recharge is {state}.', { state: call.say(after?.state ?? r.state) });
}

async function rechecked(
  { domain, queues }: RechargeVerbDeps,
  call: PageCall,
  r: RechargeView,
): Promise<string | null> {
  const transactionId = askedId(r) ?? r.id;
  const by = `${call.user.role} ${call.user.name}`;
  const { outcome, due } = await domain.recheck({ transactionId, by, reason: call.sent('reason') });
  if (due) void queues.hint(queueOf({ what: 'recharge', ...due }), [transactionId]);
  if (outcome === 'asking') return null;
  return outcome === 'too_soon'
    ? call.say('Nothing was done: the provider was asked a moment ago.')
    : call.say('Nothing is under way: the recharge is {state}.', {
        state: call.say(isFinal(r.state) ? r.state : 'CREATED'),
      });
}
