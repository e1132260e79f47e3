import { randomUUID } from 'node:crypto';
import { type CaseView, COMMENT_MAX, type DeskEntry, type DeskProblem } from '@replenish/domain';
import { timeFromText } from '@replenish/domain/rules';
import type { PageCall, ShownPage } from '../frame/call.js';
import { type Html, html, nothing } from '../frame/html.js';
import { untouched } from './desk-part.js';
import { caseSummary, noCase } from './one-page.js';
import type { CaseVerbDeps } from './verb-page.js';

export const deskVerbs = ['assign', 'due', 'comment', 'send'] as const;
export type DeskVerb = (typeof deskVerbs)[number];

const titles: Readonly<Record<DeskVerb, string>> = {
  assign: 'Assign it',
  due: 'Set the due time',
  comment: 'Comment',
  send: 'Send it out',
};

const isSaying = (verb: DeskVerb): boolean => verb === 'comment' || verb === 'send';

type DeskFault = Readonly<{ words: string; status: number }>;

/** The form of one change. It changes the desk alone, so it takes no code. */
export async function deskPage(
  deps: CaseVerbDeps,
  call: PageCall,
  verb: DeskVerb,
  fault: DeskFault | null = null,
): Promise<ShownPage> {
  const { say, csrf, request } = call;
  const id = String(request.params.id);
  const one = await deps.domain.cases.one(id, null, deps.isRefunding);
  if (!one) return noCase(call, id);
  const entry = (await deps.domain.desk.of([one.id])).get(one.id) ?? untouched;
  const stamp = isSaying(verb) ? randomUUID() : String(entry.version);
  const channels = verb === 'send' ? await deps.domain.desk.channels() : [];
  const words = fault?.words ?? (one.closedAt === null ? null : say(problemWords.case_closed));
  const alarm = words === null ? nothing : html`<p class="alarm" role="alert">${words}</p>`;
  const back = html`<a class="button" href="/cases/${one.id}">${say('Back to the case')}</a>`;
  const form =
    one.closedAt === null
      ? html`<form class="verb" method="post" action="/cases/${one.id}/${verb}" data-once>
<input type="hidden" name="_csrf" value="${csrf}">
<input type="hidden" name="stamp" value="${stamp}">
${verb === 'send' ? html`<p class="note">${say('Kind, money, age and a link of the case go to: {channels}', { channels: channels.join(say(', ')) || '-' })}</p>` : nothing}
${fields(verb, one, entry, call)} ${back}</p>
</form>`
      : html`<p>${back}</p>`;
  return {
    title: say(titles[verb]),
    status: fault?.status ?? (one.closedAt === null ? 200 : 409),
    body: html`${alarm}${caseSummary(one, call)}${form}`,
  };
}

/**
 * The fields and the buttons of the form. The paragraph of the buttons is not closed here, because the link back
 * follows in it.
 */
function fields(
  verb: DeskVerb,
  { openedAt }: CaseView,
  entry: DeskEntry,
  { say, sent, user }: PageCall,
): Html {
  if (isSaying(verb))
    return html`<label for="text">${verb === 'send' ? say('Note') : say('Comment')}</label>
<textarea id="text" name="text" required maxlength="${COMMENT_MAX}" rows="5">${sent('text')}</textarea>
<p class="verbs"><button class="plain">${verb === 'send' ? say('Send it out') : say('Add the comment')}</button>`;
  if (verb === 'due') {
    const due = sent('due') || entry.dueAt?.toISOString().slice(0, 16) || '';
    return html`<label for="due">${say('Due (UTC). Empty: by the default')}</label>
<input id="due" name="due" type="datetime-local" min="${openedAt.toISOString().slice(0, 16)}" value="${due}">
<p class="verbs"><button class="plain">${say('Set the due time')}</button>`;
  }
  return html`<p class="note">${say('Assignee')}${say(': ')}${entry.assignee ?? say('nobody')}</p>
<label for="assignee">${say('The name of an operator. Empty: nobody')}</label>
<input id="assignee" name="assignee" maxlength="64" value="${sent('assignee') || user.name}" autocomplete="off">
<p class="verbs"><button class="plain">${say('Assign it')}</button>`;
}

const problemWords: Readonly<Record<DeskProblem, string>> = {
  unknown_case: 'There is no such case.',
  case_closed: 'Nothing was done: the case is decided already.',
  changed: 'Nothing was done: somebody else has changed it since you looked. Look at it again.',
  unknown_person: 'Nothing was done: nobody of that name can decide cases.',
  too_long: 'Nothing was done: a comment has 1 to 2,000 characters.',
  no_channel: 'Nothing was done: no channel of notices is configured.',
};

/** Makes a change once. If two people make one at the same time, the second sees the current values. */
export async function changeDesk(
  deps: CaseVerbDeps,
  call: PageCall,
  verb: DeskVerb,
): Promise<ShownPage | null> {
  const { say, user } = call;
  const caseId = String(call.request.params.id);
  const due = dueIn(call);
  if (verb === 'due' && due === undefined)
    return deskPage(deps, call, verb, { words: say('Nothing was done: this is no time.'), status: 400 });
  const by = { actor: user.name, role: user.role };
  const problem = await changed(deps, call, { verb, caseId, dueAt: due ?? null });
  if (problem !== null) {
    const isInput = problem === 'too_long' || problem === 'unknown_person';
    return deskPage(deps, call, verb, { words: say(problemWords[problem]), status: isInput ? 400 : 409 });
  }
  deps.log.info({ ...by, caseId, verb }, 'work on a case');
  call.response.redirect(303, `/cases/${caseId}`);
  return null;
}

function changed(
  { domain: { desk } }: CaseVerbDeps,
  { sent, user }: PageCall,
  { verb, caseId, dueAt }: Readonly<{ verb: DeskVerb; caseId: string; dueAt: Date | null }>,
): Promise<DeskProblem | null> {
  const by = { actor: user.name, role: user.role };
  const stamp = sent('stamp');
  const said = { caseId, text: sent('text'), form: stamp };
  if (verb === 'comment') return desk.comment(said, by);
  if (verb === 'send') return desk.send(said, by);
  const version = /^\d{1,9}$/.test(stamp) ? Number(stamp) : -1;
  if (verb === 'due') return desk.setDue({ caseId, version, dueAt }, by);
  return desk.assign({ caseId, version, assignee: sent('assignee') || null }, by);
}

/** The due time that was sent. Null: the default. Undefined: the text is no time. */
function dueIn({ sent }: PageCall): Date | null | undefined {
  const text = sent('due');
  if (text === '') return null;
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text)
    ? (timeFromText(`${text}:00Z`) ?? undefined)
    : undefined;
}
