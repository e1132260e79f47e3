import type { ClientDelivery, Domain, EndpointHealth } from '@replenish/domain';
import { may, type PageCall, type ShownPage } from '../frame/call.js';
import { filedText } from '../frame/filed.js';
import { mark, rechargeLink, shortId, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import { nextLink, table } from '../frame/table.js';

export type CallbackPagesDeps = Readonly<{ domain: Pick<Domain, 'console'> }>;

const PAGE_ROWS = 50;
const ENDPOINTS_SHOWN = 100;
const statuses = ['pending', 'delivered', 'failed', 'canceled'] as const;

/** The words for the status of a callback's delivery. For approvals `pending` has another meaning. */
export const statusWords = {
  pending: 'on its way',
  delivered: 'delivered',
  failed: 'failed',
  canceled: 'canceled',
} as const satisfies Record<ClientDelivery['status'], string>;

/** The clients' endpoints for callbacks, and the newest posts to them. */
export async function callbacksPage({ domain }: CallbackPagesDeps, call: PageCall): Promise<ShownPage> {
  const { say, asked } = call;
  const status = statuses.find((one) => one === asked('status')) ?? null;
  const [endpoints, { rows, nextId }] = await Promise.all([
    domain.console.callbackEndpoints(ENDPOINTS_SHOWN),
    domain.console.callbackDeliveries({ status, beforeId: asked('before'), limit: PAGE_ROWS }),
  ]);
  const next = nextId && `/callbacks?${new URLSearchParams({ ...(status && { status }), before: nextId })}`;
  const body = html`<section><h2>${say('Endpoints')}</h2>${endpointTable(endpoints, call)}</section>
<section><h2>${say('Deliveries')}</h2>${filters(status, call)}${deliveryTable(rows, call)}${nextLink(next, say('Older ones'))}</section>`;
  return { title: say('Callbacks'), body, isLive: asked('before') === null };
}

const filters = (status: string | null, { say }: PageCall): Html =>
  html`<form class="filters" method="get" action="/callbacks" aria-label="${say('Filters')}"><label>${say('State')} <select name="status"><option value="">${say('all')}</option>${statuses.map(
    (one) =>
      html`<option value="${one}" ${one === status ? 'selected' : nothing}>${say(statusWords[one])}</option>`,
  )}</select></label> <button>${say('Filter')}</button></form>`;

const client = (id: string): Html => html`<code title="${id}">${shortId(id)}</code>`;

const endpointTable = (endpoints: readonly EndpointHealth[], { say }: PageCall): Html =>
  table<EndpointHealth>(
    say('Endpoints'),
    [
      { head: say('Client'), cell: ({ clientId }) => client(clientId) },
      { head: say('Address'), cell: ({ url }) => url },
      {
        head: say('State'),
        cell: ({ status, disabledBecause }) =>
          html`${mark(status === 'active' ? 'ok' : 'failed', say(status))} ${disabledBecause === null ? nothing : say(disabledBecause)}`,
      },
      { head: say('Waiting'), cell: ({ pending }) => pending, isNumber: true },
      { head: say('Created'), cell: ({ createdAt }) => time(createdAt) },
    ],
    endpoints,
    say('No client has an endpoint.'),
  );

const marks = { pending: 'waiting', delivered: 'ok', failed: 'failed', canceled: 'waiting' } as const;

const deliveryTable = (rows: readonly ClientDelivery[], call: PageCall): Html => {
  const { say } = call;
  return table<ClientDelivery>(
    say('Deliveries'),
    [
      { head: say('At'), cell: ({ createdAt }) => time(createdAt) },
      { head: say('Event'), cell: ({ type }) => type },
      { head: say('State'), cell: ({ status }) => mark(marks[status], say(statusWords[status])) },
      { head: say('Recharge'), cell: ({ transactionId }) => transactionId && rechargeLink(transactionId) },
      { head: say('Address'), cell: ({ url }) => url },
      { head: say('Attempts'), cell: ({ attempts }) => attempts.length, isNumber: true },
      { head: say('Last answer'), cell: (delivery) => lastAnswer(delivery, call) },
      { head: say('Next attempt'), cell: ({ nextAttemptAt }) => nextAttemptAt && time(nextAttemptAt) },
      {
        head: say('Verb'),
        cell: ({ id, status }) =>
          may(call, 'operator') && status !== 'pending'
            ? html`<a href="/callbacks/${id}/replay">${say('Replay')}</a>`
            : nothing,
      },
    ],
    rows,
    say('No delivery fits.'),
  );
};

function lastAnswer({ attempts }: ClientDelivery, { say }: PageCall): string {
  const last = attempts.at(-1);
  if (!last) return '';
  return last.error === null ? String(last.httpStatus) : filedText(last.error, say);
}
