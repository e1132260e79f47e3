import { once } from 'node:events';
import { type IncomingMessage, get as overHttp } from 'node:http';
import { get as overHttps } from 'node:https';
import { text } from 'node:stream/consumers';

const LIMIT_MS = 3_000;

/**
 * `ready`, or the reason for which the ingress is not ready. The reason is printed after "still waiting for the
 * ingress".
 */
export async function readinessOf(ingress: string, ending?: AbortSignal): Promise<string> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const signal = ending ? AbortSignal.any([ending, limit]) : limit;
  const url = `${ingress}/readyz`;
  try {
    // Any certificate is accepted, even a self-signed one. The request holds no secret, and no money depends on the
    // answer.
    const request = ingress.startsWith('https:')
      ? overHttps(url, { signal, agent: false, rejectUnauthorized: false })
      : overHttp(url, { signal, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => {}); // the response reports the same fault
    const body = await text(response);
    return response.statusCode === 200 ? 'ready' : unreadyInWords(response.statusCode, body);
  } catch (error) {
    const { name, code } = error as { name?: string; code?: string };
    if (code === 'ECONNREFUSED') return 'it does not listen yet';
    if (name === 'AbortError' || name === 'TimeoutError')
      return `it does not answer within ${LIMIT_MS / 1_000} s`;
    return `it cannot be asked (${code ?? name})`;
  }
}

function unreadyInWords(status: number | undefined, body: string): string {
  const { checks = {} } = reportIn(body);
  const faults = Object.entries(checks).flatMap(([name, word]) =>
    word === 'ok' ? [] : [`${name}: ${word}`],
  );
  return faults.length > 0 ? `it is not ready (${faults.join(', ')})` : `it answers with status ${status}`;
}

function reportIn(body: string): { checks?: Record<string, string> } {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}
