import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readSources, root } from './source.js';

const folder = join(root, 'docs/alerts');
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

type AlertRule = Readonly<{
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook_url: string };
}>;
const { groups } = parse(textOf('rules.yml')) as { groups: { rules: AlertRule[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);

type Panel = Readonly<{ title: string; description: string; targets: { expr: string }[] }>;
const dashboard = JSON.parse(textOf('dashboard.json')) as { panels: Panel[] };

/** Every metric of our processes, with the names that a histogram has. */
const metrics = new Set(
  readSources()
    .filter(({ path }) => /^(apps|packages)\/(?!testing\/)[^/]+\/src\//.test(path))
    .flatMap(({ path }) => [...readFileSync(join(root, path), 'utf8').matchAll(/name: '(replenish_\w+)'/g)])
    .flatMap(([, name]) => [name!, ...['_bucket', '_sum', '_count'].map((ending) => `${name}${ending}`)]),
);

const namedIn = (expression: string): string[] => expression.match(/\breplenish_\w+/g) ?? [];
const unknownIn = (expressions: readonly string[]): string[] =>
  expressions.flatMap(namedIn).filter((name) => !metrics.has(name));

describe('each alert', () => {
  test.each(alerts.map((alert) => [alert.alert, alert] as const))(
    '%s: has a severity and a page that names it, and the list of alerts links to the page',
    (name, { labels, annotations }) => {
      expect(['page', 'ticket']).toContain(labels.severity);
      const page = annotations.runbook_url;
      expect([page, existsSync(join(root, page))]).toEqual([page, true]);
      expect(readFileSync(join(root, page), 'utf8').split('\n')[0]).toContain(name);
      expect(textOf('README.md')).toMatch(
        new RegExp(`\`${name}\` +\\| \\[.*\\]\\(${page.split('/').at(-1)}\\)`),
      );
    },
  );

  test('and each panel of the dashboard uses metrics that exist', () => {
    expect(metrics.size).toBeGreaterThan(30);
    const panels = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(panels.length).toBeGreaterThan(20);
    expect([...panels, ...alerts.map(({ expr }) => expr)].filter((one) => namedIn(one).length === 0)).toEqual(
      [],
    );
    expect(unknownIn(panels)).toEqual([]);
    expect(unknownIn(alerts.map(({ expr }) => expr))).toEqual([]);
  });

  test('has a case in the tests of the rules in which it fires, and one in which it does not', () => {
    type Case = { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] };
    const { tests } = parse(textOf('rules.test.yml')) as { tests: Case[] };
    const told = tests.flatMap((one) => one.alert_rule_test);
    for (const { alert } of alerts) {
      const cases = told.filter(({ alertname }) => alertname === alert);
      expect([alert, cases.some((one) => one.exp_alerts), cases.some((one) => !one.exp_alerts)]).toEqual([
        ...[alert, true, true],
      ]);
    }
  });

  test('and each panel names pages that exist', () => {
    const pages = dashboard.panels.flatMap(({ description }) => description.match(/[\w-]+\.md/g) ?? []);
    expect(pages.length).toBeGreaterThan(5);
    expect(pages.filter((page) => !existsSync(join(folder, page)))).toEqual([]);
  });
});
