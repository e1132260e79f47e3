import type { Domain, Key, KeyLock, NewKey } from '@replenish/domain';
import { isAccountPattern, isClientName, keyEnvironments, type Scope, scopes } from '@replenish/domain/rules';
import type { Logger } from '@replenish/runtime';
import type { ConsoleFrame, PageCall, ShownPage } from '../frame/call.js';
import { formOf, passes } from '../frame/form.js';
import { mark, time } from '../frame/format.js';
import { type Html, html, nothing, trusted } from '../frame/html.js';
import { facts, table } from '../frame/table.js';

export type ClientPagesDeps = Readonly<{
  domain: Pick<Domain, 'clients' | 'security' | 'operators'>;
  log: Logger;
  people: ConsoleFrame['people'];
}>;

export const keyVerbs = ['rotate', 'revoke', 'unlock'] as const;
export type KeyVerb = (typeof keyVerbs)[number];

const verbWords: Readonly<Record<KeyVerb, readonly [button: string, consequence: string]>> = {
  rotate: ['New secret', 'The key gets a new secret, shown once. The old one stays valid for 24 hours.'],
  revoke: ['Revoke', 'The key is refused from now on, and never again taken.'],
  unlock: ['Unlock', 'All locks of the key are lifted. Earlier events no longer count against it.'],
};

const newId = 'new';

/** All keys, each with the verbs that it allows. */
export async function clientsPage({ domain }: ClientPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say } = call;
  const [keys, locks] = await Promise.all([domain.clients.list(), domain.security.locked()]);
  const body = html`<p><a class="button" href="/clients/${newId}">${say('New client')}</a></p>
${table<Key>(
  say('Keys'),
  [
    { head: say('Client'), cell: ({ clientName, keyId }) => html`<span id="${keyId}">${clientName}</span>` },
    { head: say('Key'), cell: ({ keyId }) => html`<code class="id">${keyId}</code>` },
    { head: say('State'), cell: (key) => stateOf(key, locks, call) },
    { head: say('Scopes'), cell: ({ scopes: some }) => some.join(' ') },
    { head: say('Accounts'), cell: ({ accounts }) => accounts.join(' ') },
    {
      head: say('Signs'),
      cell: ({ requireSignature, canSign }) => say(requireSignature ? 'always' : canSign ? 'may' : 'never'),
    },
    { head: say('Created'), cell: ({ createdAt }) => time(createdAt) },
    { head: say('Verbs'), cell: (key) => verbLinks(key, locks, call) },
  ],
  keys.toReversed(),
  say('No client is known yet.'),
)}`;
  return { title: say('Clients'), body };
}

const isLocked = ({ keyId }: Key, locks: readonly KeyLock[]): boolean =>
  locks.some((lock) => lock.keyId === keyId);

function stateOf(key: Key, locks: readonly KeyLock[], { say, now }: PageCall): Html {
  if (key.revokedAt) return mark('canceled', say('revoked'));
  if (key.expiresAt && key.expiresAt <= now) return mark('canceled', say('expired'));
  return isLocked(key, locks) ? mark('failed', say('locked')) : mark('ok', say('valid'));
}

const verbLinks = (key: Key, locks: readonly KeyLock[], { say }: PageCall): Html => {
  if (key.revokedAt) return nothing;
  const offered = keyVerbs.filter((verb) => verb !== 'unlock' || isLocked(key, locks));
  return html`${offered.map((verb) => html`<a href="/clients/${key.keyId}/${verb}">${say(verbWords[verb][0])}</a> `)}`;
};

/** What a verb does to a key, with the form that confirms it. */
export async function keyVerbPage(deps: ClientPagesDeps, call: PageCall): Promise<ShownPage> {
  return keyPage(deps, call, null);
}

const verbOf = ({ request }: PageCall): KeyVerb | undefined =>
  keyVerbs.find((verb) => verb === request.params.verb);

async function keyPage(
  { domain }: ClientPagesDeps,
  call: PageCall,
  fault: string | null,
): Promise<ShownPage> {
  const { say, request } = call;
  const verb = verbOf(call);
  const key = (await domain.clients.list()).find(({ keyId }) => keyId === request.params.id);
  if (!key || !verb)
    return {
      title: say('Nothing found'),
      status: 404,
      body: html`<p><a href="/clients">${say('Clients')}</a></p>`,
    };
  const [button, consequence] = verbWords[verb];
  const form = {
    action: `/clients/${key.keyId}/${verb}`,
    button: say(button),
    back: '/clients',
    stamp: '',
    fault,
    isDangerous: true,
  };
  return {
    title: say(button),
    status: fault === null ? 200 : 409,
    body: html`${facts([
      [say('Client'), key.clientName],
      [say('Key'), html`<code>${key.keyId}</code>`],
      [say('Scopes'), key.scopes.join(' ')],
    ])}
<section class="consequence"><h2>${say('What will happen')}</h2><p>${say(consequence)}</p></section>${formOf(form, call)}`,
  };
}

/** Carries a verb out on a key. If the work was already done, the page says so. */
export async function changeKey(deps: ClientPagesDeps, call: PageCall): Promise<ShownPage | null> {
  const { say, user, request } = call;
  const verb = verbOf(call);
  const keyId = String(request.params.id);
  const reason = call.sent('reason');
  if (!verb) return keyPage(deps, call, null);
  if (reason === '') return keyPage(deps, call, say('A reason is needed.'));
  if (!(await passes(deps.people.requireFreshCode, call))) return null;
  const { clients, security, operators } = deps.domain;
  const by = { actor: user.name, role: user.role };
  const made = verb === 'rotate' ? await clients.rotate(keyId, by) : null;
  const isDone =
    verb === 'rotate'
      ? made !== null
      : verb === 'revoke'
        ? await clients.revoke(keyId, by)
        : await security.unlock(keyId);
  if (!isDone) return keyPage(deps, call, say('Nothing was done: the key is not in that state any more.'));
  await operators.file({ ...by, verb: `console_${verb}`, subject: `key ${keyId}`, reason });
  deps.log.warn({ ...by, keyId, verb, reason }, 'key changed by an admin');
  if (made) return secretPage(call, made);
  call.response.redirect(303, '/clients');
  return null;
}

const secretPage = ({ say }: PageCall, { clientId, keyId, secret }: NewKey): ShownPage => ({
  title: say('The secret, shown this once'),
  body: html`<p class="alarm" role="status">${say('Keep it now: it cannot be shown again.')}</p>
${facts([
  [say('Client'), html`<code>${clientId}</code>`],
  [say('Key'), html`<code>${keyId}</code>`],
  [say('Secret'), html`<code class="secret">${secret}</code>`],
])}
<p><a class="button" href="/clients">${say('Clients')}</a></p>`,
});

/** The form of a new client. */
export const newClientPage = async (_deps: ClientPagesDeps, call: PageCall): Promise<ShownPage> =>
  newClientForm(call, null);

function newClientForm(call: PageCall, fault: string | null): ShownPage {
  const { say, sent } = call;
  const chosen = scopesIn(call);
  const fields = html`<label for="name">${say('Name')}</label><input id="name" name="name" required maxlength="100" value="${sent('name')}" autocomplete="off">
<label for="env">${say('Environment')}</label><select id="env" name="env">${keyEnvironments.map((env) => html`<option ${sent('env') === env ? trusted('selected') : nothing}>${env}</option>`)}</select>
<label for="accounts">${say('Accounts, patterns with * between spaces')}</label><input id="accounts" name="accounts" required value="${sent('accounts') || '*'}" autocomplete="off">
<fieldset><legend>${say('Scopes')}</legend>${scopes.map((scope) => html`<label class="box"><input type="checkbox" name="scopes" value="${scope}" ${chosen.includes(scope) ? trusted('checked') : nothing}> ${scope}</label>`)}</fieldset>`;
  const form = {
    action: `/clients/${newId}`,
    button: say('Make the client'),
    back: '/clients',
    stamp: '',
    fault,
    isDangerous: true,
    fields,
  };
  return { title: say('New client'), status: fault === null ? 200 : 400, body: formOf(form, call) };
}

function scopesIn({ request }: PageCall): Scope[] {
  const given: unknown = (request.body as { scopes?: unknown } | undefined)?.scopes;
  const wanted = [given].flat();
  return scopes.filter((scope) => wanted.includes(scope));
}

/** Makes a client by the rules of the command line, and shows its secret once. */
export async function makeClient(deps: ClientPagesDeps, call: PageCall): Promise<ShownPage | null> {
  const { say, sent, user } = call;
  const chosen = scopesIn(call);
  const accounts = sent('accounts')
    .split(/\s+/)
    .filter((one) => one !== '');
  const env = keyEnvironments.find((one) => one === sent('env'));
  if (sent('reason') === '') return newClientForm(call, say('A reason is needed.'));
  if (!isClientName(sent('name'))) return newClientForm(call, say('This is no name of a client.'));
  if (chosen.length === 0 || !env) return newClientForm(call, say('Choose at least one scope.'));
  if (accounts.length === 0 || !accounts.every(isAccountPattern))
    return newClientForm(call, say('One of the account patterns is not valid.'));
  if (!(await passes(deps.people.requireFreshCode, call))) return null;
  const by = { actor: user.name, role: user.role };
  const made = await deps.domain.clients.create({ name: sent('name'), env, scopes: chosen, accounts }, by);
  const filed = { ...by, verb: 'console_create', subject: `key ${made.keyId}`, reason: sent('reason') };
  await deps.domain.operators.file(filed);
  deps.log.warn(filed, 'client made by an admin');
  return secretPage(call, made);
}
