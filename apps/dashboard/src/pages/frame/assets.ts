import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RequestHandler, Router } from 'express';

const folder = join(import.meta.dirname, '../../../assets');

const types = { 'console.css': 'text/css', 'console.js': 'text/javascript' } as const;
type Asset = keyof typeof types;

const files = new Map(
  (Object.keys(types) as Asset[]).map((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    return [name, { text, version: hash('sha256', text).slice(0, 12) }] as const;
  }),
);

/** The address changes with the content, so browsers may keep the file for ever. */
export const assetAddress = (name: Asset): string => `/assets/${files.get(name)!.version}/${name}`;

export function assetRoutes(): Router {
  const router = Router();
  for (const [name, { text }] of files) {
    const send: RequestHandler = (_request, response) => {
      response.set('cache-control', 'public, max-age=31536000, immutable').type(types[name]).send(text);
    };
    router.get(`/assets/:version/${name}`, send);
  }
  return router;
}
