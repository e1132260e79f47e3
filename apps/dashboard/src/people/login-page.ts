import { escapeHtml, pageHead, pageHeader, pageLook } from '@replenish/runtime';

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

const faults = {
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

export type LoginFault = keyof typeof faults;

/** The login page, without a script. People without a second factor leave the code empty. */
export const loginPage = ({
  fault,
  hasSignOn,
}: Readonly<{ fault?: LoginFault | undefined; hasSignOn: boolean }>): string => `<!doctype html>
<html lang="en">
<head>
${pageHead('Sign in')}
<style>${STYLE}</style>
</head>
<body>
${pageHeader('/', 'console')}
<main>
<form method="post" action="/login">
<h1>Sign in</h1>
<p>The console is for operators. <code>npx replenish user create</code> makes a user.</p>
${fault ? `<p class="fault" role="alert">${escapeHtml(faults[fault])}</p>` : ''}
<label for="username">Name</label>
<input id="username" name="username" autocomplete="username" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<label for="code">Code of your authenticator</label>
<input id="code" name="code" autocomplete="one-time-code" inputmode="text" aria-describedby="code-help">
<p class="help" id="code-help">Six digits, or a recovery code. Viewers leave it empty.</p>
<button>Sign in</button>
${hasSignOn ? '<p class="other"><a href="/login/sso">Sign in with your company account</a></p>' : ''}
</form>
</main>
</body>
</html>
`;
