import type { MadeOperator } from '@replenish/domain';
import { escapeHtml, pageHead, pageHeader, pageLook } from '@replenish/runtime';

/**
 * The page after a sign-in through an OpenID provider. It leads on by itself, because a redirect that began at another
 * site would carry no strict cookie. It stays where it shows a new second factor.
 */
export const signedInPage = (home: string, made: MadeOperator | null): string => `<!doctype html>
<html lang="en">
<head>
${pageHead('Signed in')}
${made ? '' : `<meta http-equiv="refresh" content="0;url=${escapeHtml(home)}">`}
<style>${pageLook}
  main { padding: 2rem; max-width: 44rem; }
  code { overflow-wrap: anywhere; }
</style>
</head>
<body>
${pageHeader(home, 'console')}
<main>
<h1>Signed in</h1>
${made ? secondFactor(made) : ''}
<p><a href="${escapeHtml(home)}">To the console</a></p>
</main>
</body>
</html>
`;

const secondFactor = ({ role, totpUri, recoveryCodes }: MadeOperator): string => `
<p>Your role is ${escapeHtml(role)}. What it may do needs codes of an authenticator. Add this address to yours. It is
shown only this once:</p>
<p><code>${escapeHtml(totpUri ?? '')}</code></p>
<p>Keep these recovery codes. Each serves once, instead of the authenticator:</p>
<ul>${recoveryCodes.map((code) => `<li><code>${escapeHtml(code)}</code></li>`).join('')}</ul>`;
