const { ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');

// Jest and OpenTelemetry keep settings of one test file under these keys, and set them anew where they find none.
const SETTINGS = new Set([
  'EVENT_HANDLERS',
  'JEST_STATE_SYMBOL',
  'LOG_ERRORS_BEFORE_RETRY',
  'RETRY_IMMEDIATELY',
  'RETRY_TIMES',
  'RETRY_TIMES_SETTER',
  'TEST_TIMEOUT_SYMBOL',
  'WAIT_BEFORE_RETRY',
  'opentelemetry.js.api.1',
]);

const isSetting = (key) => typeof key === 'symbol' && SETTINGS.has(key.description);

/** What `object` holds itself now. Values behind accessors are not read: Node loads some of them when they are read. */
const valuesOf = (object) =>
  new Map(
    Object.entries(Object.getOwnPropertyDescriptors(object)).filter(([, { value }]) => value !== undefined),
  );

function putBack(object, before) {
  for (const [key, descriptor] of before) {
    if (Object.getOwnPropertyDescriptor(object, key)?.value !== descriptor.value) {
      Object.defineProperty(object, key, descriptor);
    }
  }
}

function putVariablesBack(before) {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
}

/**
 * Runs every test file in the global scope of its worker process. So an Error or a Date made by a package that the
 * runtime beside this file has loaded once for all files is an Error or a Date for the test as well. What a file changed
 * in the global scope, in `process` or in the environment variables is put back at its end.
 */
module.exports = class GlobalScopeEnvironment {
  global = globalThis;
  moduleMocker = new ModuleMocker(globalThis);
  fakeTimers = null;

  constructor({ projectConfig: config }) {
    this.fakeTimersModern = new ModernFakeTimers({ config, global: globalThis });
    this.before = {
      globals: valuesOf(globalThis),
      process: valuesOf(process),
      variables: { ...process.env },
    };
  }

  exportConditions = () => ['node', 'node-addons'];

  // Jest asks for a context, and takes an empty answer for an environment that has ended. The runtime never uses it.
  getVmContext = () => globalThis;

  async setup() {}

  async teardown() {
    this.fakeTimersModern.dispose();
    for (const key of Reflect.ownKeys(globalThis).filter(isSetting)) delete globalThis[key];
    putBack(globalThis, this.before.globals);
    putBack(process, this.before.process);
    putVariablesBack(this.before.variables);
  }
};
