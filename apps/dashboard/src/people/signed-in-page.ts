import type { MadeOperator } from '@replenish/domain';
import { escapeHtml, pageHead, pageHeader, pageLook } from '@replenish/runtime';
import { documentLanguage, type Language, sayIn } from '../pages/frame/words.js';

/**
 * The page after a sign-in through an OpenID provider. The page itself opens the console, because a redirect that began
 * at another site would carry no cookie with SameSite=Strict. With a new second factor, it waits for the person.
 */
export function signedInPage(language: Language, home: string, made: MadeOperator | null): string {
  const say = sayIn(language);
  return `<!doctype html>
<html lang="${documentLanguage(language)}">
<head>
${pageHead(say('Signed in'))}
${made ? '' : `<meta http-equiv="refresh" content="0;url=${escapeHtml(home)}">`}
<style>${pageLook}
  main { padding: 2rem; max-width: 44rem; }
  code { overflow-wrap: anywhere; }
</style>
</head>
<body>
${pageHeader(home, say('console'))}
<main>
<h1>${escapeHtml(say('Signed in'))}</h1>
${made ? secondFactor(made, language) : ''}
<p><a href="${escapeHtml(home)}">${escapeHtml(say('To the console'))}</a></p>
</main>
</body>
</html>
`;
}

function secondFactor({ role, totpUri, recoveryCodes }: MadeOperator, language: Language): string {
  const say = sayIn(language);
  return `
<p>${escapeHtml(say('Your role is {role}. What it may do needs codes of an authenticator.', { role: say(role) }))}
${escapeHtml(say('Add this address to yours. It is shown only this once:'))}</p>
<p><code>${escapeHtml(totpUri ?? '')}</code></p>
<p>${escapeHtml(say('Keep these recovery codes. Each serves once, instead of the authenticator:'))}</p>
<ul>${recoveryCodes.map((code) => `<li><code>${escapeHtml(code)}</code></li>`).join('')}</ul>`;
}
