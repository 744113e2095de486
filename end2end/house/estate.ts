// A house that has been lived in for two months: projects, keys in every state, services that verify them, callers that
// lag behind. Time passes by the server's own clock, so ages and charts are those of a real one.
import { expect } from '@playwright/test';
import type { House } from './house.ts';
import { Machine } from './machine.ts';

/** Where the things are that pages are about. */
export type Estate = {
  /** A key with use, an old value that drains, and everything filled in. */
  key: string;
  /** A key that works and that nobody uses. */
  idle: string;
  suspended: string;
  compromised: string;
  imported: string;
  /** A secret with three versions, read lately. */
  secret: string;
  /** A secret that is deleted and can be restored. */
  deleted: string;
  /** A workload with tokens. */
  workload: string;
  team: string;
  /** Values by key name. */
  values: Record<string, string>;
};

type Made = { id: string; key: string };

/** Days that the house is lived in, until today. */
export const AGE = 60;

const projects = [
  ['pay', 'Payments', ['checkout', 'billing', 'refund-worker', 'ledger-export', 'partner-klarna', 'partner-adyen', 'fraud-scoring', 'pos-terminals']],
  ['ship', 'Shipping', ['label-printer', 'carrier-dhl', 'carrier-ups', 'tracking-webhook', 'warehouse-sync', 'customs-gateway']],
  ['search', 'Search', ['indexer', 'query-frontend', 'suggest', 'synonyms-batch', 'ranking-lab']],
  ['identity', 'Identity', ['directory-sync', 'sms-sender', 'mail-sender', 'risk-signals', 'badge-printer']],
  ['data', 'Data platform', ['warehouse-loader', 'cdc-orders', 'cdc-users', 'dashboards', 'notebook-readers', 'export-finance', 'geo-enricher']],
] as const;

const callers = [
  ['10.20.4.17', 'checkout/2.41.0'],
  ['10.20.4.18', 'checkout/2.41.0'],
  ['10.20.9.3', 'refund-worker/1.8.2'],
  ['198.51.100.7', 'partner-gateway/5.0'],
  ['2001:db8:40::7', 'okhttp/4.12.0'],
] as const;

/** Lives in a house that was started `AGE` days ago and has an owner; ends in the present. Callers come each `every`th day. */
export async function live(house: House, every = 3): Promise<Estate> {
  const operator = new Machine(house.url, await house.operator('token', '--role', 'admin'));
  const provisioner = await operator.post<Made>('/workloads', { name: 'terraform', role: 'admin' });
  const token = (workload: string, days: number) =>
    operator.post<{ token: string }>(`/workloads/${workload}/tokens`, { expires_in_seconds: days * 86_400 });
  const admin = new Machine(house.url, (await token(provisioner.id, 365)).token);

  const team = await admin.post<Made>('/teams', { slug: 'payments', name: 'Payments team' });
  await admin.post('/teams', { slug: 'platform', name: 'Platform' });
  const { items: [owner] } = await admin.get<{ items: { id: string }[] }>('/users');
  await admin.put(`/teams/payments/members/${owner.id}`);
  const keys: Record<string, Made> = {};
  const after = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const passed = async (days: number) => house.clock.pass({ days });

  for (const [at, [slug, name, names]] of projects.entries()) {
    await admin.post('/projects', { slug, name });
    await admin.post(`/projects/${slug}/environments`, { slug: 'development', name: 'Development', label: 'test' });
    await admin.post(`/projects/${slug}/environments`, { slug: 'production', name: 'Production', label: 'live', max_lifetime_seconds: 365 * 86_400 });
    for (const [n, key] of names.entries()) {
      keys[key] = await admin.post<Made>('/keys', {
        project: slug,
        environment: n % 4 === 3 ? 'development' : 'production',
        name: key,
        description: `Held by the ${key} service of ${name}. Ask the team before it goes.`,
        owner: team.id,
        scopes: ['orders:read', 'orders:write', 'refunds:*'].slice(0, 1 + (n % 3)),
        expires_at: after(n % 5 === 2 ? 9 : 90 + 20 * n),
        allowed_cidrs: n % 3 === 0 ? ['10.20.0.0/16', '198.51.100.0/24', '2001:db8::/32'] : [],
        rate_limit: n % 2 === 0 ? { limit: 600, window_seconds: 60 } : undefined,
        tags: [`team=${slug}`, ...(n % 2 === 0 ? ['pci'] : [])],
        metadata: n % 2 === 0 ? { plan: 'gold', region: 'eu-central' } : undefined,
      });
    }
    await passed(at === 0 ? 3 : 2);
  }
  await admin.post('/roles', { holder: team.id, role: 'manager', project: 'pay' });

  const gateways: Machine[] = [];
  let workload = '';
  for (const [slug] of projects) {
    const made = await admin.post<Made>('/workloads', { name: `${slug}-gateway`, project: slug, role: 'verifier' });
    workload ||= made.id;
    const { token } = await admin.post<{ token: string }>(`/workloads/${made.id}/tokens`, { expires_in_seconds: 120 * 86_400 });
    gateways.push(new Machine(house.url, token));
  }
  await admin.post(`/workloads/${workload}/tokens`, { expires_in_seconds: 86_400 });
  await admin.post('/workloads', { name: 'nightly-report', role: 'auditor' });

  /** One day of callers: more on weekdays, one of them from where it may not. */
  const day = async (n: number) => {
    for (const [at, [, , names]] of projects.entries()) {
      for (const [k, name] of names.entries()) {
        const uses = k > 3 ? 0 : (n % 7 > 4 ? 1 : 3) + ((n + k) % 3);
        for (let use = 0; use < uses; use += 1) {
          const [ip, caller] = callers[(use + k) % (k === 0 ? 4 : 3)];
          await gateways[at].verify(keys[name].key, { ip, caller });
        }
      }
    }
    if (n % 6 === 0) {
      await gateways[0].verify(keys.checkout.key, { ip: '203.0.113.66', caller: 'curl/8.5.0' });
    }
  };
  const lived = 11;
  for (let n = lived; n < AGE - 4; n += 1) {
    if (n % every === 0) await day(n);
    await passed(1);
  }

  const act = (name: string, verb: string, body: unknown) => admin.post<Made>(`/keys/${keys[name].id}/${verb}`, body);
  await act('fraud-scoring', 'suspend', {});
  await act('carrier-ups', 'revoke', { reason: 'cessation-of-operation', note: 'The contract ended.' });
  await act('sms-sender', 'revoke', { reason: 'key-compromise', note: 'Found in a public repository.' });
  const imported = await admin.post<Made>('/keys/import', {
    project: 'ship',
    environment: 'production',
    name: 'legacy-erp',
    owner: team.id,
    value: `erp-${'k3y'.repeat(3)}-2019-Zx81`,
    last_day: after(30),
  });
  await admin.post('/keys', {
    project: 'pay', environment: 'production', name: 'next-terminal', owner: team.id, not_before: after(14), expires_at: after(100),
  });
  await passed(1);
  const rotated = await act('checkout', 'rotate', { overlap_seconds: 7 * 86_400 });
  for (const [at, [ip, caller]] of callers.entries()) {
    if (at !== 2) await gateways[0].verify(rotated.key, { ip, caller });
  }
  await passed(1);
  for (const [ip, caller] of callers.slice(1, 4)) await gateways[0].verify(keys.checkout.key, { ip, caller });
  const secrets = '/projects/pay/environments/production/secrets';
  const put = (path: string, body: object) => admin.put<{ id: string }>(`${secrets}/${path}`, body);
  const secret = await put('database/primary/password', {
    value: 'correct horse battery staple', description: 'The shop signs in with it.', tags: ['pci', 'team=payments'], owner: team.id,
  });
  await put('database/primary/password', { value: 'Tr0ub4dor&3' });
  await put('database/primary/password', { value: 'a third one', label: 'pending' });
  await put('database/primary/url', { value: 'postgres://app@db.northwind.example/shop' });
  await put('psp/klarna/credentials', { value: '{"user":"northwind","key":"x"}', kind: 'json' });
  await put('tls/keystore', { value_base64: 'AAECAwQFBgcICQ==' });
  await admin.put('/projects/pay/environments/development/secrets/database/primary/url', {
    value: 'postgres://app@db.northwind.example/shop',
  });
  await admin.put('/projects/pay/environments/development/secrets/psp/klarna/credentials', { value: '{"user":"test"}', kind: 'json' });
  const deleted = await put('psp/old-provider', { value: 'gone soon' });
  await admin.delete(`${secrets}/psp/old-provider`);
  await admin.get(`${secrets}/database/primary/password`);
  await passed(AGE - (AGE - 4) - 2);
  await written(admin, keys.checkout.id);

  return {
    key: keys.checkout.id,
    idle: keys['partner-adyen'].id,
    suspended: keys['fraud-scoring'].id,
    compromised: keys['sms-sender'].id,
    imported: imported.id,
    secret: secret.id,
    deleted: deleted.id,
    workload,
    team: team.id,
    values: { ...Object.fromEntries(Object.entries(keys).map(([name, { key }]) => [name, key])), checkout: rotated.key },
  };
}

/** Uses are written some seconds after they happen: waits for the last of them, those of the value that drains. */
async function written(admin: Machine, key: string): Promise<void> {
  type Value = { superseded_at?: string; last_used_at?: string };
  await expect(async () => {
    const { values } = await admin.get<{ values: Value[] }>(`/keys/${key}`);
    const old = values.find((it) => it.superseded_at);
    expect(Date.parse(old?.last_used_at ?? '')).toBeGreaterThan(Date.parse(old?.superseded_at ?? ''));
  }).toPass({ timeout: 30_000 });
}
