import type { SortingProviders } from '@replenish/assembly';
import { faultsOfTerms, type RuleRechargeForm, type RuleTerms, type RuleWatch } from '@replenish/domain';
import type { z } from 'zod';
import { invalid } from '../http/answers/problem.js';
import { sortOf } from '../recharges/intake.js';
import type { RuleChangeInput, RuleInput } from './input.js';

type GivenRule = z.infer<typeof RuleInput>;
type GivenChange = z.infer<typeof RuleChangeInput>;

/** The defaults of a rule's fields. */
const usual = {
  balance: 'available',
  cooldownSeconds: 0,
  canary: null,
  runwayDays: null,
  mode: 'execute',
  quietHours: null,
  expiresAt: null,
  dormantAfterDays: 30,
} as const;

export type AgreedRule = Readonly<{ terms: RuleTerms; recharge: RuleRechargeForm }>;

const wantedOf = ({ amount, upTo }: GivenRule['recharge']): RuleTerms['recharge'] =>
  amount === undefined ? { upToMinor: upTo! } : { amountMinor: amount };

const quietOf = (quiet: GivenRule['quietHours']): RuleTerms['quietHours'] =>
  quiet ? { from: quiet.from, to: quiet.to } : null;

/**
 * The time zone that a request names. A rule has one, and a request may name it in two places.
 * @throws Problem INVALID_ARGUMENT when the places differ
 */
function timeZoneOf({
  timeZone,
  quietHours,
}: Pick<GivenChange, 'timeZone' | 'quietHours'>): string | undefined {
  const ofQuietHours = quietHours?.timeZone;
  if (ofQuietHours !== undefined && timeZone !== undefined && ofQuietHours !== timeZone)
    throw invalid({
      path: 'quietHours.timeZone',
      message: 'differs from `timeZone`, and a rule has one time zone',
    });
  return ofQuietHours ?? timeZone;
}

/** @throws Problem INVALID_ARGUMENT for terms that cannot work */
export function newTermsOf(given: GivenRule, providers: SortingProviders): AgreedRule {
  const { caps } = given;
  const terms: RuleTerms = {
    balance: given.balance ?? usual.balance,
    belowMinor: given.below,
    recharge: wantedOf(given.recharge),
    caps: {
      perRechargeMinor: caps.perRecharge,
      perDayMinor: caps.perDay,
      perMonthMinor: caps.perMonth,
      timesPerDay: caps.timesPerDay ?? null,
      timesPerMonth: caps.timesPerMonth ?? null,
    },
    cooldownSeconds: given.cooldownSeconds ?? usual.cooldownSeconds,
    canaryMinor: given.canary ?? usual.canary,
    runwayDays: given.runwayDays ?? usual.runwayDays,
    mode: given.mode ?? usual.mode,
    quietHours: quietOf(given.quietHours ?? null),
    timeZone: timeZoneOf(given) ?? 'UTC',
    expiresAt: given.expiresAt ? new Date(given.expiresAt) : null,
    dormantAfterDays: given.dormantAfterDays === undefined ? usual.dormantAfterDays : given.dormantAfterDays,
  };
  const { paymentMethod = 'sandbox', destination = given.watch, metadata = {} } = given;
  return agreed(terms, { paymentMethod, destination, metadata }, given, providers);
}

type RuleBefore = AgreedRule & Readonly<{ watch: RuleWatch }>;

/** The terms of a rule after a change. Fields that are not given stay. @throws Problem INVALID_ARGUMENT */
export function changedTermsOf(
  given: GivenChange,
  before: RuleBefore,
  providers: SortingProviders,
): AgreedRule {
  const { terms: old, recharge: way } = before;
  const { caps = {}, quietHours } = given;
  const terms: RuleTerms = {
    balance: given.balance ?? old.balance,
    belowMinor: given.below ?? old.belowMinor,
    recharge: given.recharge ? wantedOf(given.recharge) : old.recharge,
    caps: {
      perRechargeMinor: caps.perRecharge ?? old.caps.perRechargeMinor,
      perDayMinor: caps.perDay ?? old.caps.perDayMinor,
      perMonthMinor: caps.perMonth ?? old.caps.perMonthMinor,
      timesPerDay: caps.timesPerDay === undefined ? old.caps.timesPerDay : caps.timesPerDay,
      timesPerMonth: caps.timesPerMonth === undefined ? old.caps.timesPerMonth : caps.timesPerMonth,
    },
    cooldownSeconds: given.cooldownSeconds ?? old.cooldownSeconds,
    canaryMinor: given.canary === undefined ? old.canaryMinor : given.canary,
    runwayDays: given.runwayDays === undefined ? old.runwayDays : given.runwayDays,
    mode: given.mode ?? old.mode,
    quietHours: quietHours === undefined ? old.quietHours : quietOf(quietHours),
    timeZone: timeZoneOf(given) ?? old.timeZone,
    expiresAt:
      given.expiresAt === undefined
        ? old.expiresAt
        : given.expiresAt === null
          ? null
          : new Date(given.expiresAt),
    dormantAfterDays: given.dormantAfterDays === undefined ? old.dormantAfterDays : given.dormantAfterDays,
  };
  const { paymentMethod = way.paymentMethod, destination = way.destination, metadata = way.metadata } = given;
  return agreed(terms, { paymentMethod, destination, metadata }, before, providers);
}

function agreed(
  terms: RuleTerms,
  way: Pick<RuleRechargeForm, 'paymentMethod' | 'destination' | 'metadata'>,
  { watch }: Readonly<{ watch: RuleWatch }>,
  providers: SortingProviders,
): AgreedRule {
  const faults = faultsOfTerms(terms, new Date()).map(({ field, message }) => ({ path: field, message }));
  if (watch === 'cloud' && way.destination === 'wallet')
    faults.push({
      path: 'destination',
      message: 'is wallet, which never fills the cloud account that is watched',
    });
  if (watch === 'wallet' && way.destination === 'cloud')
    faults.push({ path: 'destination', message: 'is cloud, which never fills the wallet that is watched' });
  if (terms.canaryMinor !== null && way.destination === 'wallet')
    faults.push({
      path: 'canary',
      message: 'is for money that goes to a payee, and this stays in the wallet',
    });
  if (terms.balance === 'cash' && watch === 'wallet')
    faults.push({ path: 'balance', message: 'is cash, and a wallet has no credit to leave out' });
  if (faults.length > 0) throw invalid(...faults);
  const { kind, funding } = sortOf({ providers }, { ...way, accountId: '', currency: '' });
  return { terms, recharge: { kind, funding, ...way } };
}
