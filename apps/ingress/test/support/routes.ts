import type { Express } from 'express';

export type Route = Readonly<{ method: string; path: string }>;

type Layer = Readonly<{
  route?: Readonly<{ path: string | readonly string[]; methods: Readonly<Record<string, boolean>> }>;
  handle: { stack?: readonly Layer[] };
}>;

/** All methods and paths of the app, including those of its routers. */
export const routesOf = (app: Express): Route[] => inside((app.router as unknown as Layer['handle']).stack!);

const inside = (stack: readonly Layer[]): Route[] =>
  stack.flatMap(({ route, handle }) => {
    if (!route) return inside(handle.stack ?? []);
    const methods = Object.keys(route.methods).filter((method) => method !== '_all');
    return [route.path]
      .flat()
      .flatMap((path) => methods.map((method) => ({ method: method.toUpperCase(), path: String(path) })));
  });
