import { executionAsyncId } from 'node:async_hooks';
import { createServer } from 'node:http';
import { createLogger } from '@replenish/runtime';
import { openSpan, withSpan } from '@replenish/runtime/traces';
import { exportTraces } from '../../dist/traces/exporting.js';

// Begins and sends spans without an active one. Then prints how many spans came, and whether the process runs a hook for
// each promise: with a hook, each continuation has an id of its own.
let spans = 0;
const collector = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const [{ scopeSpans }] = JSON.parse(Buffer.concat(chunks).toString()).resourceSpans;
  spans += scopeSpans[0].spans.length;
  response.setHeader('content-type', 'application/json').end('{}');
});
await new Promise((resolve) => collector.listen(0, '127.0.0.1', resolve));
const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${collector.address().port}`;
// The exporter reads its address from the environment itself.
Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT });
const end = await exportTraces(
  'promises',
  { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'false' },
  createLogger('promises', 'info'),
);

const request = openSpan(() => ({ name: 'a request', kind: 'server', parent: null }));
await withSpan(
  () => ({ name: 'a hint', kind: 'producer', parent: request }),
  async () => {},
);
request.end(false);
await end();
collector.close();

const ids = new Set();
for (let turn = 0; turn < 3; turn++) {
  await null;
  ids.add(executionAsyncId());
}
process.stdout.write(JSON.stringify({ spans, isHooked: ids.size > 1 }));
