import { escapeHtml, pageHead, pageHeader, pageLook } from '@replenish/runtime';
import { documentLanguage, type Language, sayIn } from '../pages/frame/words.js';

const STYLE = `${pageLook}
  main { display: grid; place-items: center; min-height: 75vh; padding: 1rem; }
  form { width: min(22rem, 100%); padding: 2rem; background: var(--raised); border: 1px solid var(--line); border-radius: 12px; }
  h1 { margin: 0 0 .3rem; font-size: 1.4rem; }
  p { margin: 0 0 1.5rem; color: var(--soft); }
  p.fault { margin: 0 0 1rem; color: var(--mark); }
  label { display: block; font-weight: 600; margin: .8rem 0 .35rem; }
  p.help { margin: .35rem 0 0; font-size: .85rem; }
  input, button { width: 100%; padding: .6rem .7rem; border-radius: 8px; font: inherit; }
  input { border: 1px solid var(--soft); background: var(--paper); color: var(--ink); }
  p.other { margin: 1.2rem 0 0; text-align: center; }
  button { margin-top: 1rem; border: 0; background: var(--link); color: var(--paper); font-weight: 600; cursor: pointer; }
`;

/** Why somebody was not let in. The texts are translated where they are shown. */
export const loginFaults = {
  wrong: 'Wrong name, password or code.',
  too_many: 'Too many attempts. Wait a minute, then try again.',
  provider_down: 'The OpenID provider does not answer. Try again, or sign in with a password.',
  not_departed: 'This sign-in began in another browser, or more than ten minutes ago. Begin again.',
  refused: 'The OpenID provider did not let you in.',
  no_role: 'Your account at the OpenID provider has no role here. An administrator can give it one.',
  no_name: 'Your account at the OpenID provider has no name that can be used here.',
  name_taken: 'Another user has your name here. An administrator can rename or remove that user.',
  disabled: 'You are disabled here. An administrator can reset your user.',
} as const;

export type LoginFault = keyof typeof loginFaults;

type LoginView = Readonly<{ fault?: LoginFault | undefined; hasSignOn: boolean }>;

/** The login page, without a script. People without a second factor leave the code empty. */
export function loginPage(language: Language, { fault, hasSignOn }: LoginView): string {
  const say = (english: string): string => escapeHtml(sayIn(language)(english));
  const other = language === 'zh' ? 'en' : 'zh';
  const links = [{ href: `/login?lang=${other}`, text: other === 'zh' ? '中文' : 'English' }];
  return `<!doctype html>
<html lang="${documentLanguage(language)}">
<head>
${pageHead(sayIn(language)('Sign in'))}
<style>${STYLE}</style>
</head>
<body>
${pageHeader('/', sayIn(language)('console'), links)}
<main>
<form method="post" action="/login">
<h1>${say('Sign in')}</h1>
<p>${say('The console is for operators.')} <code>npx replenish user create</code> ${say('makes a user.')}</p>
${fault ? `<p class="fault" role="alert">${say(loginFaults[fault])}</p>` : ''}
<label for="username">${say('Name')}</label>
<input id="username" name="username" autocomplete="username" required autofocus>
<label for="password">${say('Password')}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<label for="code">${say('Code of your authenticator')}</label>
<input id="code" name="code" autocomplete="one-time-code" inputmode="text" aria-describedby="code-help">
<p class="help" id="code-help">${say('Six digits, or a recovery code. Viewers leave it empty.')}</p>
<button>${say('Sign in')}</button>
${hasSignOn ? `<p class="other"><a href="/login/sso">${say('Sign in with your company account')}</a></p>` : ''}
</form>
</main>
</body>
</html>
`;
}
