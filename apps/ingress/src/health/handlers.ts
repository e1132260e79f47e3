import type { Frame } from '@replenish/runtime';
import type { Request, Response } from 'express';

export type HealthDeps = Readonly<{ health: Frame['health'] }>;

export function alive({ health }: HealthDeps, _request: Request, response: Response): void {
  response.json(health.alive());
}

export async function ready({ health }: HealthDeps, _request: Request, response: Response): Promise<void> {
  const { ok, checks } = await health.ready();
  if (!ok) response.setHeader('retry-after', '1');
  // The text of a fault can name internal addresses, so it appears only in the log and on the port of the metrics.
  const words = Object.entries(checks).map(([name, word]) => [name, word === 'ok' ? 'ok' : 'away']);
  response.status(ok ? 200 : 503).json({ ok, checks: Object.fromEntries(words) });
}
