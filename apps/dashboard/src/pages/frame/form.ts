import type { RequestHandler } from 'express';
import type { PageCall } from './call.js';
import { type Html, html, nothing } from './html.js';

/** A form that confirms a verb. Nothing is typed but a reason and, where it is dangerous, a code. */
export type VerbForm = Readonly<{
  action: string;
  button: string;
  back: string;
  /** Differs as soon as what was looked at has changed. */
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

/** Whether a guard of Express lets a request pass. If not, it has answered. */
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
