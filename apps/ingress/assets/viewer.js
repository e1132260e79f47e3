const mount = document.getElementById('viewer');
const mayTry = mount.dataset.try === 'on';
const contract = await (await fetch('/openapi.json')).json();
const operations = Object.values(contract.paths).flatMap((path) => Object.values(path));

// The origin of this page reaches the ingress that it came from. The address in the contract may be another one, and
// neither the policy of the page nor the ingress lets a browser call from here to there.
contract.servers = [{ url: location.origin }];

// A page cannot sign without being given the secret as a script's data; what it sends is a bearer.
const { bearer } = contract.components.securitySchemes;
contract.components.securitySchemes = { bearer };
for (const operation of operations) operation.security = operation.security.filter((one) => one.bearer);

// A key for each route and load: the first call makes a recharge, those after it are its replays.
for (const { operationId, parameters = [] } of operations)
  for (const parameter of parameters)
    if (parameter.name === 'Idempotency-Key') parameter.example = `${operationId}-${Date.now()}`;

// Every route can answer with most of the problems; a line with a link says more than the same example ten times.
for (const problem of Object.values(contract.components.responses)) {
  problem.description = problem.description.replace(/\b[A-Z_]{8,}(?=:)/g, '[$&](/docs/errors/$&)');
  delete problem.content;
  delete problem.headers;
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', paint);
paint();

const hidden = () => () => null;
globalThis.SwaggerUIBundle({
  spec: contract,
  domNode: mount,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  // Else the document is sent to a validator on the network.
  validatorUrl: null,
  ...(mayTry ? {} : { supportedSubmitMethods: [] }),
  plugins: mayTry ? [] : [{ wrapComponents: { authorizeBtn: hidden, authorizeOperationBtn: hidden } }],
});
