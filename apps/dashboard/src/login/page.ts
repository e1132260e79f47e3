import { escapeHtml, pageHead, pageHeader, pageLook } from '@replenish/runtime';

const STYLE = `${pageLook}
  main { display: grid; place-items: center; min-height: 75vh; padding: 1rem; }
  form { width: min(22rem, 100%); padding: 2rem; background: var(--raised); border: 1px solid var(--line); border-radius: 12px; }
  h1 { margin: 0 0 .3rem; font-size: 1.4rem; }
  p { margin: 0 0 1.5rem; color: var(--soft); }
  p.fault { margin: 0 0 1rem; color: var(--mark); }
  label { display: block; font-weight: 600; margin-bottom: .35rem; }
  input, button { width: 100%; padding: .6rem .7rem; border-radius: 8px; font: inherit; }
  input { border: 1px solid var(--soft); background: var(--paper); color: var(--ink); }
  button { margin-top: 1rem; border: 0; background: var(--link); color: var(--paper); font-weight: 600; cursor: pointer; }
`;

const faults = {
  wrong_password: 'Wrong password.',
  too_many: 'Too many attempts. Wait a minute, then try again.',
} as const;

export type LoginFault = keyof typeof faults;

/**
 * The login page, without a script. There is one password and no user name. The hidden user name field is for password
 * managers.
 */
export const loginPage = (fault?: LoginFault): string => `<!doctype html>
<html lang="en">
<head>
${pageHead('Sign in')}
<style>${STYLE}</style>
</head>
<body>
${pageHeader('/', 'dashboard')}
<main>
<form method="post" action="/login">
<h1>Sign in</h1>
<p>The dashboard shows the queues. It needs the operators' password.</p>
${fault ? `<p class="fault" role="alert">${escapeHtml(faults[fault])}</p>` : ''}
<input name="username" value="operator" autocomplete="username" hidden>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button>
</form>
</main>
</body>
</html>
`;
