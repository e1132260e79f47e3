const MS_OF: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * The text of rules with every span of time divided by a factor: how long an alert is pending (`for`), the windows of
 * ranges, and thresholds that are compared with seconds. All else stays as it is.
 */
export function shortened(rules: string, factor: number): string {
  const inMs = (count: string, unit: string) => `${(Number(count) * MS_OF[unit]!) / factor}ms`;
  return rules
    .replaceAll(/(?<=\bfor: )(\d+)([smh])\b/g, (_, count: string, unit: string) => inMs(count, unit))
    .replaceAll(/\[(\d+)([smh])\]/g, (_, count: string, unit: string) => `[${inMs(count, unit)}]`)
    .replaceAll(/(_seconds\)*) > (\d+)$/gm, (_, left: string, seconds: string) =>
      [left, Number(seconds) / factor].join(' > '),
    );
}

/** What must stay the same when spans of time are shortened. */
export const withoutSpans = (rules: string): string =>
  rules
    .replaceAll(/(?<=\bfor: )\d+(ms|[smh])\b/g, 'SPAN')
    .replaceAll(/\[\d+(ms|[smh])\]/g, '[SPAN]')
    .replaceAll(/(?<=_seconds\)* > )[\d.]+$/gm, 'SPAN');
