import type { Domain } from '@replenish/domain';
import type { Logger } from '@replenish/runtime';
import type { ConsoleFrame, PageCall, ShownPage } from './call.js';
import { formOf, passes } from './form.js';
import { type Html, html } from './html.js';

export type OfferedVerbDeps = Readonly<{
  domain: Pick<Domain, 'operators'>;
  people: ConsoleFrame['people'];
  log: Logger;
}>;

/** A verb on one thing, in the state that the thing is in now. The words are in the language of the reader. */
export type OfferedVerb = Readonly<{
  title: string;
  /** What the verb is about. */
  about: Html;
  consequences: readonly string[];
  action: string;
  back: string;
  /** Changes when the subject of the verb changes, so that a form of an old page is recognized. */
  stamp: string;
  /** Why the verb cannot be used now. Null: it can be used. */
  obstacle: string | null;
  isDangerous?: boolean;
  /** The verb and its subject in the record of the operator's action. */
  filed: Readonly<{ verb: string; subject: string; transactionId?: string | null }>;
  /** Carries the verb out. Returns why nothing was done, or null. */
  carryOut: () => Promise<string | null>;
}>;

/** Reads the subject of a verb. Null: there is no such subject, or no such verb. */
type VerbLook = () => Promise<OfferedVerb | null>;

/** What a verb would do, with the form that confirms it. */
export async function offeredVerbPage(
  look: VerbLook,
  call: PageCall,
  fault: string | null = null,
  status = 409,
): Promise<ShownPage> {
  const { say } = call;
  const offered = await look();
  if (!offered) return nothingFound(call);
  const { title, about, consequences, obstacle, ...form } = offered;
  const end =
    obstacle === null
      ? html`<section class="consequence"><h2>${say('What will happen')}</h2><ul>${consequences.map((one) => html`<li>${one}</li>`)}</ul></section>${formOf({ ...form, button: title, fault }, call)}`
      : html`<p class="alarm" role="alert">${fault ?? obstacle}</p><p><a class="button" href="${form.back}">${say('Back')}</a></p>`;
  return {
    title,
    status: fault !== null ? status : obstacle === null ? 200 : 409,
    body: html`<div class="summary">${about}</div>${end}`,
  };
}

export const nothingFound = ({ say }: PageCall): ShownPage => ({
  title: say('Nothing found'),
  status: 404,
  body: html`<p><a href="/">${say('Overview')}</a></p>`,
});

/**
 * Carries a verb out once, records it with actor and reason, and leads back. A form of an old page, or a repeated one,
 * changes nothing, and the page says so.
 */
export async function doOfferedVerb(
  { domain, people, log }: OfferedVerbDeps,
  look: VerbLook,
  call: PageCall,
): Promise<ShownPage | null> {
  const { say, sent, user } = call;
  const offered = await look();
  const again = (fault: string | null, status?: number) => offeredVerbPage(look, call, fault, status);
  if (!offered || offered.obstacle !== null) return again(null);
  const reason = sent('reason');
  if (reason === '') return again(say('A reason is needed.'), 400);
  if (sent('stamp') !== offered.stamp)
    return again(say('Nothing was done: it has changed since you looked. Look at it again.'));
  if (offered.isDangerous && !(await passes(people.requireFreshCode, call))) return null;
  const fault = await offered.carryOut();
  if (fault !== null) return again(fault);
  const act = { actor: user.name, role: user.role, ...offered.filed, reason };
  await domain.operators.file(act);
  log.info(act, 'verb of an operator');
  call.response.redirect(303, offered.back);
  return null;
}
