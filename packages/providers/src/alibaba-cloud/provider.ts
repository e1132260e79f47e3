import { createHmac } from 'node:crypto';
import type { AccountSettings } from '@replenish/runtime';
import type { ProofOfAbsence, Provider } from '../contract/provider.js';
import type { AccountConfig, ProviderDefinition, ProvidersConfig } from '../definition.js';
import { agencyRail } from './rails/agency.js';
import { fundAccountRail } from './rails/fund-account.js';
import { resellerQuotaRail } from './rails/reseller-quota.js';
import type { RemarkKeys } from './remark.js';
import type { CloudAccess, CloudKeys } from './rpc.js';

const sites = {
  china: { endpoint: 'business.aliyuncs.com', agency: 'agency.aliyuncs.com', currency: 'CNY' },
  international: {
    endpoint: 'business.ap-southeast-1.aliyuncs.com',
    agency: 'agency.ap-southeast-1.aliyuncs.com',
    currency: 'USD',
  },
} as const;

// The delay of the list is not published. A transfer that shows up after this time could be made twice.
const VISIBILITY_DELAY_MS = 30 * 60_000;
const SCANS = 3;

/**
 * The definition of Alibaba Cloud. It is open where `ALIBABA_CLOUD_ACCESS_KEY_ID` is set. It only delivers money that we
 * hold there, so it serves no payment method: a payee leads to it.
 */
export const alibabaCloud: ProviderDefinition = {
  name: 'alibaba_cloud',
  methods: [],
  open(config) {
    if (!config.ALIBABA_CLOUD_ACCESS_KEY_ID) return null;
    const site = siteOf(config);
    switch (config.ALIBABA_CLOUD_RAIL ?? 'fund_account') {
      case 'fund_account':
        return fundAccount(config, accessOf(config, site.endpoint), site.currency);
      case 'reseller_quota':
        return resellerQuotaRail(accessOf(config, site.endpoint));
      case 'agency':
        return agency(config, accessOf(config, site.agency));
      default:
        throw new Error(`ALIBABA_CLOUD_RAIL: this release has no rail ${config.ALIBABA_CLOUD_RAIL}`);
    }
  },
};

function siteOf({ ALIBABA_CLOUD_SITE: name = 'china' }: ProvidersConfig) {
  const site = Object.entries(sites).find(([known]) => known === name)?.[1];
  if (!site) throw new Error('ALIBABA_CLOUD_SITE: is neither china nor international');
  return site;
}

function accessOf(config: AccountConfig, endpointOfSite: string): CloudAccess {
  const { ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId, ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret } =
    config;
  const { ALIBABA_CLOUD_ENDPOINT: endpoint = endpointOfSite } = config;
  if (!accessKeyId || !accessKeySecret) throw new Error('ALIBABA_CLOUD_ACCESS_KEY_SECRET: is not set');
  const token = config.ALIBABA_CLOUD_SECURITY_TOKEN;
  const { reread } = config;
  const keys: CloudKeys = { accessKeyId, accessKeySecret, ...(token ? { securityToken: token } : {}) };
  return {
    ...{ ...keys, endpoint, timeoutMs: config.PROVIDER_TIMEOUT_MS },
    ...(reread && { renew: () => keysIn(reread(), keys) }),
  };
}

const keysIn = (now: AccountSettings, before: CloudKeys): CloudKeys => ({
  accessKeyId: now.ALIBABA_CLOUD_ACCESS_KEY_ID ?? before.accessKeyId,
  accessKeySecret: now.ALIBABA_CLOUD_ACCESS_KEY_SECRET ?? before.accessKeySecret,
  securityToken: now.ALIBABA_CLOUD_SECURITY_TOKEN,
});

function fundAccount(config: ProvidersConfig, access: CloudAccess, currency: string): Provider {
  const fundAccountId = config.ALIBABA_CLOUD_FUND_ACCOUNT_ID;
  if (!fundAccountId) throw new Error('ALIBABA_CLOUD_FUND_ACCOUNT_ID: the rail fund_account needs it');
  return fundAccountRail({
    ...{ ...access, fundAccountId, currencies: [currency] },
    remarkKeys: remarkKeysOf(config, access),
    proof: proofOf(config),
  });
}

function agency(config: ProvidersConfig, access: CloudAccess): Provider {
  const by = config.ALIBABA_CLOUD_AGENCY_CALL === 'credit_line' ? 'credit_line' : 'deduct';
  // Half of the limit, so that a submit without an answer leaves time to read the credit again.
  return agencyRail({ ...access, timeoutMs: Math.ceil(access.timeoutMs / 2), by, proof: proofOf(config) });
}

const proofOf = (config: ProvidersConfig): ProofOfAbsence => ({
  scans: numberOf(config.ALIBABA_CLOUD_SCANS, SCANS),
  visibilityDelayMs: numberOf(config.ALIBABA_CLOUD_VISIBILITY_DELAY_MS, VISIBILITY_DELAY_MS),
  resubmit: config.ALIBABA_CLOUD_RESUBMIT === 'auto' ? 'auto' : 'person',
});

const numberOf = (given: string | number | undefined, otherwise: number): number =>
  given === undefined || given === '' ? otherwise : Number(given);

/**
 * The keys of the remarks. Unset, one is derived from the access key. After that key is changed, transfers under way are
 * suspect rows and not proven ones: a person decides, and nothing is sent twice.
 */
function remarkKeysOf(
  { ALIBABA_CLOUD_REMARK_KEYS: given }: ProvidersConfig,
  access: CloudAccess,
): RemarkKeys {
  const [first, ...others] = (given ?? '').split(/[\s,]+/).filter(Boolean);
  if (first !== undefined) return [Buffer.from(first), ...others.map((key) => Buffer.from(key))];
  return [createHmac('sha256', access.accessKeySecret).update('remarks of transfers').digest()];
}
