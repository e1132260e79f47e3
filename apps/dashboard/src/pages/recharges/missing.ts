import type { PageCall, ShownPage } from '../frame/call.js';
import { html } from '../frame/html.js';

export const noRecharge = ({ say }: PageCall, id: string): ShownPage => ({
  title: say('Nothing found'),
  status: 404,
  body: html`<p>${say('There is no recharge')} <code>${id}</code>.</p><p><a href="/recharges">${say('All recharges')}</a></p>`,
});
