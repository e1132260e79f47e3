const STYLE = `
  :root { color-scheme: light dark; --ink: #1c2733; --paper: #f3f5f8; --card: #fff; --line: #c9d2dc; --accent: #0b6b57; --bad: #a8201a; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --paper: #12181f; --card: #1b232d; --line: #3a4654; --accent: #3fb79a; --bad: #ff8f85; } }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
  form { width: min(20rem, 80vw); padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
  h1 { margin: 0; font-size: 1.4rem; }
  p { margin: 0 0 1.5rem; opacity: .75; }
  p.fault { margin: 0 0 1rem; opacity: 1; color: var(--bad); }
  label { display: block; font-weight: 600; margin-bottom: .35rem; }
  input, button { box-sizing: border-box; width: 100%; padding: .6rem .7rem; border-radius: 8px; font: inherit; }
  input { border: 1px solid var(--line); background: var(--paper); color: var(--ink); }
  button { margin-top: 1rem; border: 0; background: var(--accent); color: var(--card); font-weight: 600; cursor: pointer; }
  :is(input, button):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;

const faults = {
  wrong_password: 'That is not the password.',
  too_many: 'Too many tries. Wait a minute, then try again.',
} as const;

export type LoginFault = keyof typeof faults;

/** The whole page, without a script. */
export const loginPage = (fault?: LoginFault): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Replenish</title>
<style>${STYLE}</style>
</head>
<body>
<form method="post" action="/login">
<h1>Replenish</h1>
<p>Queues, for operators</p>
${fault ? `<p class="fault" role="alert">${faults[fault]}</p>` : ''}
<input name="username" value="operator" autocomplete="username" hidden>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button>
</form>
</body>
</html>
`;
