import { once } from 'node:events';
import { createServer } from 'node:http';

// A collector of traces that keeps only the number of spans. It is a process of its own, so that its CPU time is not
// counted as ours. A GET answers with the number.
let spans = 0;
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.method === 'POST') spans += spansIn(JSON.parse(Buffer.concat(chunks).toString()));
  response.setHeader('content-type', 'application/json').end(request.method === 'GET' ? String(spans) : '{}');
});

const spansIn = ({ resourceSpans }) =>
  resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .reduce((sum, { spans: some }) => sum + some.length, 0);

server.listen(Number(process.argv[2]), '127.0.0.1');
await once(server, 'listening');
process.send({ ready: true });
process.once('SIGTERM', () => process.exit(0));
