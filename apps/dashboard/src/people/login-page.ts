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
  button { margin-top: 1rem; border: 0; background: var(--link); color: var(--paper); font-weight: 600; cursor: pointer; }
`;

const faults = {
  wrong: 'Wrong name, password or code.',
  too_many: 'Too many attempts. Wait a minute, then try again.',
} as const;

export type LoginFault = keyof typeof faults;

/** The login page, without a script. People without a second factor leave the code empty. */
export const loginPage = (fault?: LoginFault): string => `<!doctype html>
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
</form>
</main>
</body>
</html>
`;
