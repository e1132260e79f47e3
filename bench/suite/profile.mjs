import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const SHOWN = 20;

/** V8's sampling profiles. A process writes one file per start. Nothing is written unless a folder is given. */
export class Profiles {
  #dir;
  #turns = new Map();
  #windows = new Map();

  constructor(dir) {
    this.#dir = dir ? resolve(dir) : null;
    if (this.#dir) mkdirSync(this.#dir, { recursive: true });
  }

  /** The flags for the next start of a process, with which that run writes a profile. */
  flags(name) {
    if (!this.#dir) return [];
    const turn = (this.#turns.get(name) ?? 0) + 1;
    this.#turns.set(name, turn);
    this.#windows.set(name, { fromUs: 0, toUs: Number.POSITIVE_INFINITY });
    return ['--cpu-prof', `--cpu-prof-dir=${this.#dir}`, `--cpu-prof-name=${name}-${turn}.cpuprofile`];
  }

  /** Marks the start of the measured time. The report leaves out what came before, such as warming up. */
  begin() {
    for (const window of this.#windows.values()) if (window.fromUs === 0) window.fromUs = nowUs();
  }

  end() {
    for (const window of this.#windows.values()) window.toUs = Math.min(window.toUs, nowUs());
  }

  /** The report on where each process spent the measured time of its last run. */
  *report() {
    for (const [name, turn] of this.#turns) {
      const file = join(this.#dir, `${name}-${turn}.cpuprofile`);
      if (!existsSync(file)) continue;
      yield `\n${name}`;
      yield* tables(JSON.parse(readFileSync(file, 'utf8')), this.#windows.get(name));
    }
  }
}

// The clock of the profiles. On Linux V8 and Node use the same monotonic clock.
const nowUs = () => Number(process.hrtime.bigint() / 1_000n);

function* tables(profile, window) {
  const figures = { 'self, by package': new Map(), self: new Map(), 'with what it calls': new Map() };
  const [byPackage, self, total] = Object.values(figures);
  const selfUs = timesOf(profile, window);
  walk(profile.nodes, (node, path) => {
    const us = selfUs.get(node.id) ?? 0;
    const place = placeOf(node);
    add(self, place, us);
    if (place !== '(idle)') add(byPackage, packageOf(node), us);
    for (const one of new Set(path)) add(total, one, us);
  });
  const idle = self.get('(idle)') ?? 0;
  const busy = [...self.values()].reduce((sum, us) => sum + us, 0) - idle;
  yield `  at work ${seconds(busy)} s, idle ${seconds(idle)} s of the measured time`;
  for (const [title, times] of Object.entries(figures)) {
    yield `  ${title}`;
    const sorted = [...times]
      .filter(([place]) => !/^\((idle|root)\)/.test(place))
      .sort((a, b) => b[1] - a[1]);
    for (const [place, us] of sorted.slice(0, SHOWN)) {
      yield `    ${((100 * us) / busy).toFixed(1).padStart(5)} %  ${place}`;
    }
  }
}

/** The time of each node within the window, without the nodes that it calls. */
function timesOf({ startTime, samples, timeDeltas }, { fromUs, toUs }) {
  const selfUs = new Map();
  let atUs = startTime;
  samples.forEach((id, index) => {
    atUs += timeDeltas[index];
    if (atUs >= fromUs && atUs <= toUs) add(selfUs, id, timeDeltas[index]);
  });
  return selfUs;
}

/** Visits every node with the places of its callers and itself. It is not recursive, because stacks are deep. */
function walk(nodes, visit) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stack = [[nodes[0], [placeOf(nodes[0])]]];
  while (stack.length > 0) {
    const [node, path] = stack.pop();
    visit(node, path);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      stack.push([child, [...path, placeOf(child)]]);
    }
  }
}

function placeOf({ callFrame: { functionName, url, lineNumber } }) {
  const name = functionName || '(anonymous)';
  return url ? `${name}  ${fileOf(url)}:${lineNumber + 1}` : name;
}

const fileOf = (url) =>
  (url.startsWith('file:') ? relative(root, new URL(url).pathname) : url).replace(/^.*node_modules\//, '');

/**
 * The package of a node, such as `pg`, `@prisma/client`, `apps/ingress` or `node:http`. Names that V8 writes in
 * brackets, and native functions, are returned as they are.
 */
function packageOf({ callFrame: { functionName, url } }) {
  if (!url) return functionName.startsWith('(') ? functionName : `native ${functionName}`;
  if (!url.startsWith('file:')) return url.split('/')[0].startsWith('wasm') ? 'wasm' : url;
  const parts = fileOf(url).split('/');
  const isScoped = parts[0].startsWith('@') || parts[0] === 'apps' || parts[0] === 'packages';
  return parts.slice(0, isScoped ? 2 : 1).join('/');
}

const add = (times, key, us) => times.set(key, (times.get(key) ?? 0) + us);
const seconds = (us) => (us / 1e6).toFixed(2);
