// Sends the calls of the reference. The page's address reaches the ingress that it came from.
const keyField = document.getElementById('try-key');
keyField?.form.addEventListener('submit', (event) => event.preventDefault());

for (const form of document.querySelectorAll('.try form'))
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const shown = form.querySelector('output code');
    const { method, key, idempotent } = form.dataset;
    const body = form.elements.body?.value;
    const headers = new Headers();
    if (key === 'true') headers.set('authorization', `Bearer ${keyField.value.trim()}`);
    if (body !== undefined) headers.set('content-type', 'application/json');
    if (idempotent === 'true') headers.set('idempotency-key', keyOf(form, body));
    shown.textContent = 'Sent; waiting for the answer ...';
    try {
      const answer = await fetch(form.elements.path.value, { method, headers, body });
      const text = await answer.text();
      shown.textContent = `HTTP ${answer.status}\n\n${indented(text)}`;
    } catch (error) {
      shown.textContent = `No answer: ${error.message}`;
    }
  });

/** The same body keeps its key: pressing Send again repeats the recharge instead of making another. */
function keyOf(form, body) {
  if (form.sentBody !== body) {
    form.sentBody = body;
    form.sentKey = `try-${Date.now()}-${Math.floor(Math.random() * 1e9)}`;
  }
  return form.sentKey;
}

function indented(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  // Amounts beyond 2^53 must not pass through a number: only line breaks are added.
  return text.replace(/("(?:[^"\\]|\\.)*")|([{[,])/g, (_, string, mark) => string ?? `${mark}\n  `);
}
