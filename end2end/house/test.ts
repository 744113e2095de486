// The `test` that journeys use. It brings a house of the worker's own, watches the browser's console, and
// refuses every complaint that the journey did not announce.
import { test as base, expect } from '@playwright/test';
import { Authenticator, type Credential } from './authenticator.ts';
import { AGE, live, type Estate } from './estate.ts';
import { Complaints } from './complaints.ts';
import { House } from './house.ts';
import { Looks } from './looks.ts';
import { Machine } from './machine.ts';
import { Person } from './person.ts';

export { expect };

export type Options = {
  /** Whether the browser may load WebAssembly. */
  wasm: boolean;
};

type Fixtures = {
  /** Says that the page, as it is now, has no accessibility violations, in light and in dark. */
  accessible: () => Promise<void>;
  /** A passkey device in the page: resident keys, user verification, always present. */
  authenticator: Authenticator;
  /** What the browser complained about; `complaints.expect(/…/)` announces one. */
  complaints: Complaints;
  /** A Keywarden that nobody has set up, for this journey alone. Give it to the page by `page.goto(untouched.url)`. */
  untouched: House;
  /** As `untouched`, with a seal that projects may name once the operator offers it: `software:acme`. */
  sealing: House;
  /** Somebody at the page with an empty device. */
  somebody: Person;
  /** The owner of the house, signed in. */
  owner: Person;
  /** A house that has been lived in for two months, its owner signed in at the page. */
  tenant: { person: Person; estate: Estate };
  /** An admin's token, made on the server's shell. */
  admin: Machine;
};

type WorkerFixtures = {
  /** A Keywarden with an owner and nothing else at first, shared by the journeys of one worker. */
  house: House;
  /** The passkey of the owner of `house`. */
  ownersPasskey: Credential;
  /** What `tenant` lives in. */
  home: { house: House; passkey: Credential; estate: Estate };
};

export const test = base.extend<Options & Fixtures, WorkerFixtures>({
  wasm: [true, { option: true }],

  house: [
    async ({}, use, worker) => {
      const house = await House.start(`worker_${worker.workerIndex}`);
      await use(house);
      await house.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  ownersPasskey: [
    async ({ browser, house }, use) => {
      const page = await browser.newPage({ baseURL: house.url });
      const owner = new Person(page, await Authenticator.attach(page));
      const passkey = await owner.setUp(house.setupLink, 'Acme', 'Ada Lovelace');
      await page.context().close();
      await use(passkey);
    },
    { scope: 'worker' },
  ],

  home: [
    async ({ browser }, use, worker) => {
      const house = await House.start(`home_${worker.workerIndex}`, AGE);
      const page = await browser.newPage({ baseURL: house.url });
      const owner = new Person(page, await Authenticator.attach(page));
      const passkey = await owner.setUp(house.setupLink, 'Northwind Bank', 'Ada Lovelace');
      const estate = await live(house, page);
      await page.context().close();
      await use({ house, passkey, estate });
      await house.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],

  tenant: async ({ home, somebody }, use) => {
    await somebody.device.add(home.passkey);
    await somebody.signIn(home.house.url);
    await use({ person: somebody, estate: home.estate });
  },

  untouched: [
    async ({}, use, test) => {
      const house = await House.start(`test_${test.workerIndex}_${test.testId.replaceAll('-', '_')}`);
      await use(house);
      await house.stop();
    },
    { timeout: 60_000 },
  ],

  sealing: [
    async ({}, use, test) => {
      const seal = (dataDir: string) => ({ KEYWARDEN_SEAL_PROJECTS: `file:${dataDir}/acme` });
      const house = await House.start(`sealing_${test.workerIndex}`, 0, seal);
      await use(house);
      await house.stop();
    },
    { timeout: 60_000 },
  ],

  baseURL: async ({ house }, use) => use(house.url),

  context: async ({ context, wasm }, use) => {
    if (!wasm) {
      await context.route('**/*.wasm', (route) => route.abort('blockedbyclient'));
    }
    await use(context);
  },

  complaints: [
    async ({ context, wasm }, use) => {
      const complaints = new Complaints(wasm);
      await complaints.watch(context);
      await use(complaints);
      expect(complaints.unexpected(), 'the browser has nothing to complain about').toEqual([]);
    },
    { auto: true },
  ],

  authenticator: async ({ page }, use) => use(await Authenticator.attach(page)),

  accessible: async ({ page }, use) => use(() => new Looks(page).accessible()),

  somebody: async ({ page, authenticator }, use) => use(new Person(page, authenticator)),

  owner: async ({ somebody, ownersPasskey }, use) => {
    await somebody.device.add(ownersPasskey);
    await somebody.signIn();
    await use(somebody);
  },

  admin: async ({ house, ownersPasskey: _ }, use) => {
    await use(new Machine(house.url, await house.operator('token', '--role', 'admin')));
  },
});
