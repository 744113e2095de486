// A house that has been lived in for two months: projects, keys in every state, services that verify them, callers that
// lag behind. Time passes by the server's own clock, so ages and charts are those of a real one.
import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, type Page } from '@playwright/test';
import { Authenticator } from './authenticator.ts';
import type { House } from './house.ts';
import { Machine } from './machine.ts';
import { Person } from './person.ts';

/** Where the things are that pages are about. */
export type Estate = {
  /** A key with use, an old value that drains, and everything filled in. */
  key: string;
  /** The old value of `key`, which works until it has drained. */
  draining: string;
  /** A key that works and that nobody uses. */
  idle: string;
  suspended: string;
  compromised: string;
  imported: string;
  /** A secret with three versions and a label of its own, read lately. */
  secret: string;
  /** An open link to it. */
  share: string;
  /** A secret whose first version is deleted and whose second is disabled. */
  shut: string;
  /** A secret that is deleted and can be restored. */
  deleted: string;
  /** A workload with a token and a rule. */
  workload: string;
  token: string;
  /** The workload's sign-in rule, which refused a token. */
  rule: string;
  team: string;
  /** A policy that decides nothing, with two versions. */
  policy: string;
  /** A test that policies pass. */
  policyTest: string;
  /** A request for access that waits. */
  accessRequest: string;
  /** A standard that is not in force, with two versions. */
  standard: string;
  /** A webhook of the organization's that takes nothing. */
  channel: string;
  /** The role of the team in the project `pay`. */
  teamRole: string;
  /** The owner's id, and the id of their passkey. */
  owner: string;
  passkey: string;
  /** Somebody with a key and a secret of their own. */
  person: string;
  /** Their role in the project `pay`. */
  personRole: string;
  /** Somebody who is let in no more. */
  gone: string;
  /** An invitation that waits, and where its link leads. */
  invitation: string;
  join: string;
  /** The event of the key that was compromised. */
  event: string;
  /** What brought the data keys of `pay` under a new key. */
  rewrap: string;
  /** Values by key name. */
  values: Record<string, string>;
};

type Made = { id: string; key: string };
type Say = (text: string) => string;
type Value = { id: string; superseded_at?: string; last_used_at?: string };

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

/** Lives in a house that was started `AGE` days ago and has an owner, who is at the page; ends in the present. Callers
 * come each `every`th day. People give their things the names that `say` makes of the usual ones. */
export async function live(house: House, owners: Page, { every = 3, say = (text: string) => text } = {}): Promise<Estate> {
  const operator = new Machine(house.url, await house.operator('token', '--role', 'admin'));
  const provisioner = await operator.post<Made>('/workloads', { name: say('terraform'), role: 'admin' });
  const { token: year } = await operator.post<{ token: string }>(`/workloads/${provisioner.id}/tokens`, {
    expires_in_seconds: 365 * 86_400,
  });
  const admin = new Machine(house.url, year);

  const passkey = await passkeyOf(owners, house);
  const team = await admin.post<Made>('/teams', { slug: 'payments', name: say('Payments team') });
  await admin.post('/teams', { slug: 'platform', name: say('Platform') });
  const owner = await first(admin, '/users');
  await admin.put(`/teams/payments/members/${owner}`);
  const keys: Record<string, Made> = {};
  const after = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const passed = async (days: number) => house.clock.pass({ days });

  for (const [at, [slug, name, names]] of projects.entries()) {
    await admin.post('/projects', { slug, name: say(name) });
    await admin.post(`/projects/${slug}/environments`, { slug: 'development', name: say('Development'), label: 'test' });
    await admin.post(`/projects/${slug}/environments`, { slug: 'production', name: say('Production'), label: 'live', max_lifetime_seconds: 365 * 86_400 });
    for (const [n, key] of names.entries()) {
      keys[key] = await admin.post<Made>('/keys', {
        project: slug,
        environment: n % 4 === 3 ? 'development' : 'production',
        name: say(key),
        description: say(`Held by the ${key} service of ${name}. Ask the team before it goes.`),
        owner: team.id,
        scopes: ['orders:read', 'orders:write', 'refunds:*'].slice(0, 1 + (n % 3)),
        expires_at: after(n % 5 === 2 ? 9 : 90 + 20 * n),
        allowed_cidrs: n % 3 === 0 ? ['10.20.0.0/16', '198.51.100.0/24', '2001:db8::/32'] : [],
        rate_limit: n % 2 === 0 ? { limit: 600, window_seconds: 60 } : undefined,
        tags: [`team=${say(slug)}`, ...(n % 2 === 0 ? ['pci'] : [])],
        metadata: n % 2 === 0 ? { plan: say('gold'), region: 'eu-central' } : undefined,
      });
    }
    await passed(at === 0 ? 3 : 2);
  }
  const never = (what: string): string => `forbid (principal, action == Action::"${what}", resource) when { context.recovering };`;
  const policy = await admin.post<Made>('/policies', { name: say('No purge while recovering'), text: never('secret.purge'), note: say('Asked for by the audit.') });
  await admin.post(`/policies/${policy.id}/versions`, { text: never('secret.delete'), note: say('No deleting, too.') });
  const standard = await admin.post<Made>('/standards', { name: say('Keys of production'), rules: { environments: ['production'], key_lifetime_days: 90, tags: ['cost'] } });
  const channel = await admin.post<Made>('/channels', { name: say('Duty'), kind: 'webhook', target: 'https://hooks.example.com/keywarden', listens: ['account', 'seal'] });
  await admin.post(`/channels/${channel.id}/pause`, {});
  await admin.post(`/standards/${standard.id}/versions`, { rules: { key_names: '[a-z][a-z0-9-]*', team_owner: true }, note: say('For all of them.') });
  const teamRole = await admin.post<Made>('/roles', { holder: team.id, role: 'manager', project: 'pay' });
  const people = await joined(house, owners, admin, say);

  const policyTest = await admin.post<Made>('/policies/tests', {
    name: say('People make no projects'),
    case: { principal: people.person, action: 'project.create', resource: 'organization' },
    allowed: false,
  });
  await admin.post('/keys', { project: 'pay', environment: 'development', name: say('notebook'), owner: people.person });

  const gateways: Machine[] = [];
  let workload = '';
  let token = '';
  for (const [slug] of projects) {
    const made = await admin.post<Made>('/workloads', { name: say(`${slug}-gateway`), project: slug, role: 'verifier' });
    workload ||= made.id;
    const issued = await admin.post<{ id: string; token: string }>(`/workloads/${made.id}/tokens`, { expires_in_seconds: 120 * 86_400 });
    token ||= issued.id;
    gateways.push(new Machine(house.url, issued.token));
  }
  await admin.post(`/workloads/${workload}/tokens`, { expires_in_seconds: 86_400 });
  await admin.post('/workloads', { name: say('nightly-report'), role: 'auditor' });

  /** One day of callers: more on weekdays, one of them from where it may not. */
  const day = async (n: number) => {
    for (const [at, [, , names]] of projects.entries()) {
      for (const [k, name] of names.entries()) {
        const uses = k > 3 ? 0 : (n % 7 > 4 ? 1 : 3) + ((n + k) % 3);
        for (let use = 0; use < uses; use += 1) {
          const [ip, caller] = callers[(use + k) % (k === 0 ? 4 : 3)];
          await gateways[at].verify(keys[name].key, { ip, caller: say(caller) });
        }
      }
    }
    if (n % 6 === 0) {
      await gateways[0].verify(keys.checkout.key, { ip: '203.0.113.66', caller: say('curl/8.5.0') });
    }
  };
  const lived = 11;
  for (let n = lived; n < AGE - 4; n += 1) {
    if (n % every === 0) await day(n);
    await passed(1);
  }

  const act = (name: string, verb: string, body: unknown) => admin.post<Made>(`/keys/${keys[name].id}/${verb}`, body);
  await act('fraud-scoring', 'suspend', {});
  await act('carrier-ups', 'revoke', { reason: 'cessation-of-operation', note: say('The contract ended.') });
  await act('sms-sender', 'revoke', { reason: 'key-compromise', note: say('Found in a public repository.') });
  const imported = await admin.post<Made>('/keys/import', {
    project: 'ship',
    environment: 'production',
    name: say('legacy-erp'),
    owner: team.id,
    value: `erp-${'k3y'.repeat(3)}-2019-Zx81`,
    last_day: after(30),
  });
  await admin.post('/keys', {
    project: 'pay', environment: 'production', name: say('next-terminal'), owner: team.id, not_before: after(14), expires_at: after(100),
  });
  await passed(1);
  const rotated = await act('checkout', 'rotate', { overlap_seconds: 7 * 86_400 });
  for (const [at, [ip, caller]] of callers.entries()) {
    if (at !== 2) await gateways[0].verify(rotated.key, { ip, caller: say(caller) });
  }
  await passed(1);
  for (const [ip, caller] of callers.slice(1, 4)) await gateways[0].verify(keys.checkout.key, { ip, caller: say(caller) });
  const secrets = '/projects/pay/environments/production/secrets';
  const put = (path: string, body: object) => admin.put<{ id: string }>(`${secrets}/${path}`, body);
  const secret = await put('database/primary/password', {
    value: 'correct horse battery staple', description: say('The shop signs in with it.'), tags: ['pci', `team=${say('payments')}`], owner: team.id,
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
  const share = await admin.post<{ id: string }>(`/secrets/${secret.id}/shares`, { version: 2, expires_in: '7d' });
  await admin.put(`/secrets/${secret.id}/labels/stable`, { version: 2 });
  await put('mail/sandbox', { value: 'of her own', owner: people.person });
  let shut = '';
  for (const value of ['one', 'two', 'three', 'four']) shut = (await put('mail/relay', { value })).id;
  await admin.delete(`/secrets/${shut}/versions/1`);
  await admin.post(`/secrets/${shut}/versions/2/disable`, {});
  const { rewrap } = await admin.post<{ rewrap: string }>('/projects/pay/key/rotate', {});
  await passed(AGE - (AGE - 4) - 2);
  await written(admin, keys.checkout.id);

  const invitation = await admin.post<{ id: string; url: string }>('/users/invitations', { name: say('Mary Kenneth'), role: 'auditor' });
  const { values } = await admin.get<{ values: Value[] }>(`/keys/${keys.checkout.id}`);
  return {
    key: keys.checkout.id,
    draining: values.find((it) => it.superseded_at)!.id,
    idle: keys['partner-adyen'].id,
    suspended: keys['fraud-scoring'].id,
    compromised: keys['sms-sender'].id,
    imported: imported.id,
    secret: secret.id,
    share: share.id,
    deleted: deleted.id,
    shut,
    workload,
    token,
    rule: await ruled(house, admin, workload, say),
    team: team.id,
    policy: policy.id,
    policyTest: policyTest.id,
    standard: standard.id,
    accessRequest: (await admin.post<Made>('/access-requests', { role: 'viewer', project: 'pay', lasts_seconds: 3600, reason: say('INC-7: a look at who calls'), ticket: 'INC-7' })).id,
    channel: channel.id,
    teamRole: teamRole.id,
    owner,
    passkey,
    ...people,
    invitation: invitation.id,
    join: new URL(invitation.url).pathname,
    event: await first(admin, `/audit?action=key.revoke&resource=${keys['sms-sender'].id}`),
    rewrap,
    values: { ...Object.fromEntries(Object.entries(keys).map(([name, { key }]) => [name, key])), checkout: rotated.key },
  };
}

/** Uses are written some seconds after they happen: waits for the last of them, those of the value that drains. */
async function written(admin: Machine, key: string): Promise<void> {
  await expect(async () => {
    const { values } = await admin.get<{ values: Value[] }>(`/keys/${key}`);
    const old = values.find((it) => it.superseded_at);
    expect(Date.parse(old?.last_used_at ?? '')).toBeGreaterThan(Date.parse(old?.superseded_at ?? ''));
  }).toPass({ timeout: 30_000 });
}

async function passkeyOf(owners: Page, house: House): Promise<string> {
  await owners.goto(`${house.url}/account`);
  const link = owners.locator('a[href^="/account/passkeys/"]:not([href$="/new"])').first();
  return (await link.getAttribute('href'))!.split('/')[3];
}

/** Two people join, and one of them is let in no more. */
async function joined(house: House, owners: Page, admin: Machine, say: Say) {
  const join = async (name: string): Promise<string> => {
    const { url } = await admin.post<{ url: string }>('/users/invitations', { name: say(name), role: 'issuer', project: 'pay' });
    const page = await owners.context().browser()!.newPage({ baseURL: house.url });
    await new Person(page, await Authenticator.attach(page)).join(url);
    await page.context().close();
    const { items } = await admin.get<{ items: { id: string; name: string }[] }>('/users');
    return items.find((it) => it.name === say(name))!.id;
  };
  const person = await join('Grace Hopper');
  const gone = await join('Joan Clarke');
  await admin.post(`/users/${gone}/deactivate`, {});
  const { roles: [role] } = await admin.get<{ roles: { id: string }[] }>(`/users/${person}`);
  return { person, personRole: role.id, gone };
}

/** A sign-in rule of the workload, and a token of its issuer that claims something else. */
async function ruled(house: House, admin: Machine, workload: string, say: Say): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const head = { alg: 'ES256', kid: 'k1' };
  const iss = 'https://git.northwind.example';
  const rule = await admin.post<Made>(`/workloads/${workload}/rules`, {
    issuer: iss,
    claims: { repository: say('northwind/shop') },
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...head }] }),
  });
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss, aud: house.url, sub: say('deploy'), repository: say('northwind/fork'), iat: now, exp: now + 300 };
  const signed = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const answer = await fetch(`${house.url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: `${signed}.${signature}`,
    }),
  });
  expect(answer.status, 'the token is refused').toBe(400);
  return rule.id;
}

/** The id of the first thing of a list. */
async function first(admin: Machine, list: string): Promise<string> {
  const { items: [it] } = await admin.get<{ items: { id: string }[] }>(list);
  return it.id;
}
