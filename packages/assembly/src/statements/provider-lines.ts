import type { Period, StatementLine } from '@replenish/domain';
import { StatementAway } from '@replenish/domain/rules';
import type { GuardedProvider } from '@replenish/providers';

/**
 * The lines of the provider's own statement, page by page.
 * @throws StatementAway where the provider gives no definite answer now; an error where it refuses
 */
export async function* providerLines(
  { name, statement }: Pick<GuardedProvider, 'name' | 'statement'>,
  { from, to }: Pick<Period, 'from' | 'to'>,
): AsyncGenerator<StatementLine> {
  if (!statement) throw new Error(`${name} has no statement of its own`);
  let after: string | null = null;
  for (;;) {
    const { outcome }: Awaited<ReturnType<typeof statement>> = await statement({ from, to, after });
    if (outcome.kind === 'refused')
      throw new Error(`${name} refuses its statement with ${outcome.code}: ${outcome.message}`);
    if (outcome.kind !== 'read')
      throw new StatementAway(
        `${name} does not give its statement now (${outcome.code ?? outcome.cause}); it is asked again`,
      );
    yield* outcome.lines;
    if (outcome.next === null) return;
    after = outcome.next;
  }
}
