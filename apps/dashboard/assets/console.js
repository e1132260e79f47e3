// Everything works without this file. It reads a page again by itself, keeps a form from being sent twice, and puts the
// cursor into the search box for the key `/`.
const box = document.getElementById('live');
const every = document.getElementById('every');
const KEY = 'replenish-refresh-s';

const read = () => {
  try {
    return localStorage.getItem(KEY) ?? '15';
  } catch {
    return '15';
  }
};
const keep = (value) => {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // Without storage the choice holds for this page.
  }
};

// Whoever reads with the keyboard, has something open or has selected a text keeps what is there.
const isInUse = (main) =>
  main.contains(document.activeElement) && document.activeElement !== main
    ? true
    : main.querySelector('details[open]') !== null || String(getSelection()) !== '';

let timer;
const plan = () => {
  clearTimeout(timer);
  const seconds = Number(every.value);
  if (seconds > 0) timer = setTimeout(refresh, seconds * 1000);
};
const refresh = async () => {
  const main = document.querySelector('main');
  if (document.hidden || isInUse(main)) return plan();
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (answer.redirected && new URL(answer.url).pathname === '/login') return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = page.querySelector('main');
    if (answer.ok && fresh && !isInUse(main)) {
      const places = [...main.querySelectorAll('.scroll')].map((one) => one.scrollLeft);
      main.replaceWith(document.adoptNode(fresh));
      for (const [n, one] of [...fresh.querySelectorAll('.scroll')].entries())
        one.scrollLeft = places[n] ?? 0;
    }
  } catch {
    // The server is away. The next turn tries again.
  }
  plan();
};

if (document.body.hasAttribute('data-live')) {
  box.hidden = false;
  every.value = read();
  every.addEventListener('change', () => {
    keep(every.value);
    plan();
  });
  plan();
}

// On a phone the list of pages is wider than the screen.
document.querySelector('nav a[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

for (const form of document.querySelectorAll('form[data-once]'))
  form.addEventListener('submit', () => {
    for (const button of form.querySelectorAll('button')) setTimeout(() => (button.disabled = true));
  });

addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('form[data-once] button')) button.disabled = false;
});

addEventListener('keydown', (event) => {
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? '');
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById('q').focus();
});
