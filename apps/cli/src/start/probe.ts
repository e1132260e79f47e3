import { once } from 'node:events';
import { type IncomingMessage, get as overHttp } from 'node:http';
import { get as overHttps } from 'node:https';
import { text } from 'node:stream/consumers';

const LIMIT_MS = 3_000;

/** `ready`, or what the ingress says instead. */
export async function readinessOf(ingress: string, ending?: AbortSignal): Promise<string> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const signal = ending ? AbortSignal.any([ending, limit]) : limit;
  const url = `${ingress}/readyz`;
  try {
    // Nothing secret is sent and no money depends on the answer: any certificate will do, also one signed by itself.
    const request = ingress.startsWith('https:')
      ? overHttps(url, { signal, agent: false, rejectUnauthorized: false })
      : overHttp(url, { signal, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => {}); // the response tells it too
    const body = await text(response);
    return response.statusCode === 200 ? 'ready' : `${response.statusCode} ${body}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
