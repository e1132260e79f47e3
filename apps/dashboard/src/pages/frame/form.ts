import type { RequestHandler } from 'express';
import type { PageCall } from './call.js';
import { type Html, html, nothing } from './html.js';

/** A form that confirms a verb. A person types only a reason and, for a dangerous verb, a code. */
export type VerbForm = Readonly<{
  action: string;
  button: string;
  back: string;
  /** Changes when the subject of the verb changes, so that a form of an old page is recognized. */
  stamp: string;
  /** Why the last try did nothing. */
  fault: string | null;
  isDangerous?: boolean;
  /** Further fields. */
  fields?: Html;
}>;

export const formOf = (
  form: VerbForm,
  { say, csrf, needsCode, sent }: PageCall,
): Html => html`<form class="verb" method="post" action="${form.action}" data-once>
${form.fault === null ? nothing : html`<p class="alarm" role="alert">${form.fault}</p>`}
<input type="hidden" name="_csrf" value="${csrf}">
<input type="hidden" name="stamp" value="${form.stamp}">
${form.fields ?? nothing}
<label for="reason">${say('Reason')}</label>
<input id="reason" name="reason" required maxlength="300" value="${sent('reason')}" autocomplete="off">
${form.isDangerous && needsCode ? html`<label for="code">${say('Fresh code of your authenticator')}</label><input id="code" name="code" required inputmode="numeric" autocomplete="one-time-code" maxlength="40">` : nothing}
<p class="verbs"><button class="${form.isDangerous ? 'danger' : 'plain'}">${form.button}</button> <a class="button" href="${form.back}">${say('Back')}</a></p>
</form>`;

/** Runs an Express handler as a check. Returns whether it let the request pass. If not, the handler has answered. */
export async function passes(
  guard: RequestHandler,
  { request, response }: Pick<PageCall, 'request' | 'response'>,
): Promise<boolean> {
  let isPassed = false;
  await guard(request, response, (error?: unknown) => {
    if (error) throw error;
    isPassed = true;
  });
  return isPassed;
}
