import { favicon } from '@replenish/runtime';
import { assetAddress } from './assets.js';
import { inUnit } from './format.js';
import { type Html, html, nothing, trusted } from './html.js';
import type { ConsoleUser } from './people.js';
import { documentLanguage, type Language, type Say } from './words.js';

/** Everything around the content of a page. */
export type Surroundings = Readonly<{
  title: string;
  body: Html;
  isLive?: boolean;
  environment: string;
  user: ConsoleUser;
  say: Say;
  language: Language;
  csrf: string;
  path: string;
  url: string;
}>;

const places: readonly (readonly [path: string, name: string, isOfAdmin?: boolean])[] = [
  ['/', 'Overview'],
  ['/recharges', 'Recharges'],
  ['/cases', 'Cases'],
  ['/bulk', 'Bulk verbs'],
  ['/accounts', 'Accounts'],
  ['/providers', 'Providers'],
  ['/rules', 'Rules'],
  ['/plans', 'Plans'],
  ['/approvals', 'Approvals'],
  ['/callbacks', 'Callbacks'],
  ['/clients', 'Clients', true],
  ['/audit', 'Audit', true],
  ['/security', 'Security', true],
  ['/queues/', 'Queues'],
];

export function layout(page: Surroundings): string {
  const { title, environment, language, say } = page;
  return html`${trusted('<!doctype html>')}
<html lang="${documentLanguage(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${say(environment)} · ${title} · Replenish</title>
<link rel="icon" href="${favicon}">
<link rel="stylesheet" href="${assetAddress('console.css')}">
<script type="module" src="${assetAddress('console.js')}"></script>
</head>
<body class="in-${environment.replace(/[^a-z]/g, '')}" ${page.isLive ? trusted('data-live') : nothing}>
<a class="skip" href="#content">${say('Skip to the content')}</a>
${head(page)}
<main id="content" tabindex="-1">
<h1>${title}</h1>
${page.body}
</main>
<footer><p>${say('Times are UTC. Amounts show minor units when you point at them.')}</p></footer>
</body>
</html>
`.toString();
}

const head = (page: Surroundings): Html => html`<header class="site">
<div class="bar">
<a class="brand" href="/">Replenish</a>
<span class="environment">${page.say(page.environment)}</span>
<form class="search" role="search" action="/recharges" method="get">
<label class="unseen" for="q">${page.say('Search')}</label>
<input id="q" name="q" type="search" placeholder="${page.say('Any number, account or amount')}" autocomplete="off" spellcheck="false">
</form>
<span class="live" id="live" hidden><label>${page.say('Refresh')} <select id="every"><option value="0">${page.say('off')}</option>${[5, 15, 60].map((s) => html`<option value="${s}">${inUnit('s', s, page.say)}</option>`)}</select></label></span>
${person(page)}
</div>
<nav aria-label="${page.say('Pages')}"><ul>${places.map((place) => link(page, place))}</ul></nav>
</header>`;

function link({ path, user, say }: Surroundings, [at, name, isOfAdmin]: (typeof places)[number]): Html {
  if (isOfAdmin && user.role !== 'admin') return nothing;
  const isHere = at === '/' ? path === '/' : path === at || path.startsWith(`${at.replace(/\/$/, '')}/`);
  return html`<li><a href="${at}" ${isHere ? trusted('aria-current="page"') : nothing}>${say(name)}</a></li>`;
}

function person({ user, say, language, url }: Surroundings): Html {
  const other = language === 'zh' ? 'en' : 'zh';
  return html`<span class="person"><a href="${withLanguage(url, other)}" lang="${other}" hreflang="${other}">${other === 'zh' ? '中文' : 'English'}</a>
<span class="who">${user.name} <span class="role">${say(user.role)}</span></span>
<a href="/logout">${say('Sign out')}</a></span>`;
}

function withLanguage(url: string, language: Language): string {
  const [path = '/', query = ''] = url.split('?');
  const params = new URLSearchParams(query);
  params.set('lang', language);
  return `${path}?${params}`;
}
