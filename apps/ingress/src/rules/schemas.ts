import { balanceFigures, capReasons, decisionReasons, pauseReasons, ruleModes } from '@replenish/domain';
import { z } from 'zod';
import {
  amountOrNull,
  count,
  currencyCode,
  id,
  list,
  minor,
  nextCursor,
  orNull,
  time,
  words,
} from '../http/schema-pieces.js';

const decided = z.enum(['recharge', 'nothing', 'held_back']);
const because = z.enum([...decisionReasons, ...pauseReasons]);
const at = (description: string) =>
  z.iso
    .datetime()
    .nullable()
    .meta({ description: `${description} (RFC 3339, UTC); null when it is not known` });

export const RuleDecisionRow = z
  .strictObject({
    seq: count('Number of the decision within its rule, from 1'),
    at: time('When the rule looked'),
    balance: amountOrNull('The figure of the balance that it compared'),
    decided: decided.meta({ description: 'What it decided' }),
    because: because.meta({ description: 'Why, as a code; see the guide' }),
    amount: amountOrNull('The amount of the recharge, or what it would have been'),
    transactionId: orNull('The recharge that it made'),
    numbers: z.record(z.string(), z.unknown()).meta({
      type: 'object',
      description:
        'What the decision was made on: both figures of the balance as `available` and `cash`, which of them was compared as `figure`, `below`, `underWay`, `spentInDay`, `spentInMonth`, `timesInDay`, `declines`, `burnPerDay`, `balanceAt`, `cap` and `until` among others',
    }),
  })
  .meta({ description: 'One look of a rule, and what it decided.' });

const decisionExample = {
  seq: 7,
  at: '2026-11-21T22:00:00.000Z',
  balance: 80000,
  decided: 'recharge',
  because: 'BELOW_THRESHOLD',
  amount: 420000,
  transactionId: '01a2122d-35de-70af-9927-1ae329a0e10b',
  numbers: {
    figure: 'available',
    available: 80000,
    cash: 30000,
    below: 100000,
    underWay: 0,
    spentInDay: 0,
    spentInMonth: 840000,
    timesInDay: 0,
  },
};

const quietHours = z
  .strictObject({
    from: words('The first quiet minute'),
    to: words('The first minute after them'),
    timeZone: words('IANA name of the time zone'),
  })
  .nullable()
  .meta({ description: 'Hours in which the rule creates nothing' });

const caps = z
  .strictObject({
    perRecharge: minor('The largest recharge'),
    perDay: minor('The most in the last 24 hours'),
    perMonth: minor('The most in a calendar month of `timeZone`'),
    timesPerDay: z.int().nullable().meta({ description: 'The most recharges in 24 hours; null: no limit' }),
    timesPerMonth: z
      .int()
      .nullable()
      .meta({ description: 'The most recharges in a calendar month of `timeZone`; null: no limit' }),
  })
  .meta({ description: 'The most that the rule may create' });

const recharge = z
  .strictObject({
    amount: minor('The amount of each recharge').optional(),
    upTo: minor('The balance that a recharge fills up to').optional(),
  })
  .meta({ description: 'How much: a fixed `amount`, or what is missing `upTo` a balance' });

const forecast = z
  .strictObject({
    balance: amountOrNull('The newest balance'),
    asOf: at('When it was read'),
    burnPerDay: amountOrNull('What is used up per day, on average of the last days'),
    runsOutAt: at('When the balance is used up, without this rule'),
    note: words('What the forecast rests on, for people'),
  })
  .meta({ description: 'When the balance is used up if nothing comes in' });

const consent = z
  .strictObject({
    actor: words('Who agreed'),
    at: time('When'),
    termsHash: words('SHA-256 of the terms'),
    termsVersion: z
      .int()
      .min(1)
      .meta({ description: 'Rises with each change of the terms, and when the rule is resumed' }),
    target: orNull('Where the money goes, as agreed: provider, our account there, account of the payee'),
  })
  .meta({ description: 'Who agreed to exactly these terms' });

const inDay = z
  .strictObject({
    attempts: count('All that it created. Caps and bursts count these'),
    recharges: count('Those that succeeded'),
    declines: count('Those that the provider declined'),
  })
  .meta({ description: 'What it created in the last 24 hours, counted apart' });

const waiting = z
  .strictObject({
    reason: z.literal('APPROVAL').meta({ description: 'A second person has to approve' }),
    approvalId: id('Id of the approval'),
    since: time('When it was asked for'),
    until: time('When it expires'),
    detail: words('What it waits for, for people'),
    widens: list(
      z
        .strictObject({
          field: words('The field'),
          before: orNull('Its value in force; null: it has none'),
          after: orNull('Its value in the version that waits; null: it has none'),
        })
        .meta({ description: 'A field that charges more, oftener or elsewhere' }),
      'In what the version goes beyond the terms in force. Empty: the rule has no terms in force yet, or is to act again',
    ),
  })
  .nullable()
  .meta({ description: 'The version that waits for an approval; null: none does' });

const example = {
  ruleId: '01a2122d-0000-7000-8000-1ae329a0e10d',
  accountId: 'acct-1001',
  currency: 'CNY',
  watch: 'cloud',
  balance: 'available',
  below: 100000,
  recharge: { upTo: 500000 },
  paymentMethod: 'fund_account',
  destination: 'cloud',
  caps: { perRecharge: 500000, perDay: 1000000, perMonth: 5000000, timesPerDay: 5, timesPerMonth: null },
  cooldownSeconds: 3600,
  canary: null,
  runwayDays: 3,
  mode: 'execute',
  quietHours: { from: '22:00', to: '06:00', timeZone: 'Asia/Shanghai' },
  timeZone: 'Asia/Shanghai',
  expiresAt: null,
  dormantAfterDays: 30,
  metadata: {},
  status: 'active',
  pausedBecause: null,
  waiting: null,
  isStopped: false,
  consent: {
    actor: 'shop (rk_test_1)',
    at: '2026-11-21T22:00:00.000Z',
    termsHash: 'f6c3e3e9c1f0f0d2c9f8b7a6958473625140f0e1d2c3b4a5968778695a4b3c2d',
    termsVersion: 1,
    target: 'alibaba_cloud:main:fa-1001',
  },
  inDay: { attempts: 1, recharges: 1, declines: 0 },
  lastDecision: decisionExample,
  forecast: {
    balance: 80000,
    asOf: '2026-11-21T22:00:00.000Z',
    burnPerDay: 60000,
    runsOutAt: '2026-11-23T06:00:00.000Z',
    note: 'without this rule, at the rate of the last days; recharges and refunds are taken out',
  },
  createdAt: '2026-11-21T22:00:00.000Z',
  updatedAt: '2026-11-21T22:00:00.000Z',
};

export const RechargeRule = z
  .strictObject({
    ruleId: id('Id of the rule'),
    accountId: words('The account'),
    currency: currencyCode,
    watch: z.enum(['cloud', 'wallet']).meta({ description: 'The balance that it looks at' }),
    balance: z.enum(balanceFigures).meta({
      description:
        'The figure of the balance that it compares: all that is `available`, or the `cash` without credit and vouchers',
    }),
    below: minor('It acts on a balance that is less than this'),
    recharge,
    paymentMethod: words('How its recharges are paid for'),
    destination: z.enum(['wallet', 'cloud']).meta({ description: 'Where the money goes' }),
    caps,
    cooldownSeconds: count('The shortest time between two recharges'),
    canary: amountOrNull('The most of the first recharge to a payee'),
    runwayDays: z.int().nullable().meta({
      description: 'It also acts when the balance would be used up within so many days; null: it does not',
    }),
    mode: z.enum(ruleModes).meta({ description: 'Whether it recharges, asks a person, or only says so' }),
    quietHours,
    timeZone: words('IANA name of the time zone of months and quiet hours'),
    expiresAt: at('When the rule ends'),
    dormantAfterDays: z.int().nullable().meta({
      description: 'It creates nothing once the balance did not fall for so many days; null: it does',
    }),
    metadata: z.record(z.string(), z.string()).meta({ description: 'Carried by its recharges' }),
    status: z.enum(['active', 'paused', 'expired']).meta({ description: 'Whether it acts' }),
    pausedBecause: z
      .enum([...pauseReasons, ...capReasons])
      .nullable()
      .meta({
        description:
          'Why it does not act, as a code. `CAP_REACHED`, `OWNER_CAP`, `SOURCE_CAP` and `FLEET_CAP` end by themselves with the window of the cap; `APPROVAL` ends with the approval in `waiting`; the others last until the rule is resumed',
      }),
    waiting,
    isStopped: z.boolean().meta({ description: 'All rules are stopped' }),
    consent,
    inDay,
    lastDecision: RuleDecisionRow.nullable().meta({
      description: 'Its last look; null before the first one',
    }),
    forecast,
    next: decided.nullable().optional().meta({
      description:
        'What it will do at its first look, in the answer that makes it; null: the balance was not read yet',
    }),
    createdAt: time('When it was made'),
    updatedAt: time('When its terms or its status changed'),
  })
  .meta({ description: 'A rule of automatic recharge.', xml: { name: 'rule' }, examples: [example] });

export const Rules = z
  .strictObject({ data: list(RechargeRule, 'The rules, newest first'), nextCursor })
  .meta({
    description: 'A page of rules.',
    xml: { name: 'rules' },
    examples: [{ data: [example], nextCursor: null }],
  });

export const RuleDecisions = z
  .strictObject({ data: list(RuleDecisionRow, 'The decisions, newest first'), nextCursor })
  .meta({
    description: 'A page of decisions of a rule.',
    xml: { name: 'decisions' },
    examples: [{ data: [decisionExample], nextCursor: null }],
  });

export const RuleSwitch = z
  .strictObject({ isStopped: z.boolean().meta({ description: 'All rules are stopped' }) })
  .meta({
    description: 'Whether all rules are stopped.',
    xml: { name: 'rules' },
    examples: [{ isStopped: true }],
  });
