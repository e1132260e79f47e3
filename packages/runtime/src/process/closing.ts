export type Closer = Readonly<{ name: string; close: () => unknown }>;

/**
 * Closes resources in reverse order of opening, each within `limitMs`. Returns the names of those that failed or took
 * too long. A resource that hangs does not stop the next one. So the database pool closes even while a provider call
 * hangs.
 */
export async function closeAll(opened: readonly Closer[], limitMs: number): Promise<string[]> {
  const stuck: string[] = [];
  for (const { name, close } of [...opened].reverse()) {
    const outcome = await Promise.race([closed(close), after(limitMs)]);
    if (outcome !== 'closed') stuck.push(`${name}: ${outcome}`);
  }
  return stuck;
}

async function closed(close: () => unknown): Promise<string> {
  try {
    await close();
    return 'closed';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const after = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(resolve, ms, `not closed after ${ms} ms`).unref());
