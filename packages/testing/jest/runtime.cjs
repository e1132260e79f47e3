const { createRequire, isBuiltin } = require('node:module');
const { join, sep } = require('node:path');
const { fileURLToPath } = require('node:url');
const { SyntheticModule } = require('node:vm');
const { default: Runtime } = require('jest-runtime');

const root = join(__dirname, '..', '..', '..', sep);
const BUILT = /^(?:packages|apps)[\\/][^\\/]+[\\/]dist[\\/]/;

// Packages whose state of one test file would disturb the next one, so each file has them anew. The schema engine is one
// WebAssembly instance. The generator of ids never goes back in time, also not from a clock that a test has set forward.
const OWN_STATE = ['@prisma/schema-engine-wasm', 'uuid'].map((name) => join('node_modules', name, sep));

/** Packages, and the builds of our own that a test file sees of its neighbours. */
const isShared = (path) =>
  (path.includes(`${sep}node_modules${sep}`) && !OWN_STATE.some((part) => path.includes(part))) ||
  (path.startsWith(root) && BUILT.test(path.slice(root.length)));

const isNamespace = (value) => value?.[Symbol.toStringTag] === 'Module';

/** What an import of the file gives in Node: of a CommonJS file the names of `module.exports`, and all of it as default. */
function namesOf(exported) {
  if (isNamespace(exported)) return Object.entries(exported);
  const names =
    exported !== null && ['object', 'function'].includes(typeof exported) ? Object.entries(exported) : [];
  return [...names.filter(([name]) => name !== 'default'), ['default', exported]];
}

function moduleOf(path) {
  const names = namesOf(require(path));
  const module = new SyntheticModule(
    names.map(([name]) => name),
    function () {
      for (const [name, value] of names) this.setExport(name, value);
    },
    { identifier: path },
  );
  // From Node 22.21 on such a module needs no linking, and Jest wants it evaluated.
  if (module.status === 'linked') void module.evaluate();
  return module;
}

/** The modules of one test file by URL. Asked for a shared one, it has Node load it. */
class Registry extends Map {
  has(url) {
    return this.get(url) !== undefined;
  }

  get(url) {
    const known = super.get(url);
    if (known || !url.startsWith('file:') || /[?#]/.test(url)) return known;
    const path = fileURLToPath(url);
    if (!isShared(path)) return undefined;
    const module = moduleOf(path);
    this.set(url, module);
    return module;
  }
}

/**
 * Jest compiles each package anew for each test file. Here Node loads packages, the builds of our own and Jest's
 * framework, once per worker process. A test file and the sources beside it are still loaded anew for each file.
 */
module.exports = class SharingRuntime extends Runtime {
  constructor(...args) {
    super(...args);
    this.registries.esModuleRegistry = new Registry();
    this.esmLoader.getContext = () => undefined;
  }

  requireModule(from, name, ...rest) {
    if (name !== undefined && isBuiltin(name)) return super.requireModule(from, name, ...rest);
    return name === undefined ? require(from) : createRequire(from)(name);
  }

  requireInternalModule(from, name) {
    // Circus keeps the tests of a file in a module of its own, so this one has to be new for each file.
    if (name === undefined) delete require.cache[from];
    return this.requireModule(from, name);
  }
};
