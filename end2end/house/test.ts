// The `test` that journeys use. It brings a house of the worker's own, watches the browser's console, and
// refuses every complaint that the journey did not announce.
import { test as base, expect } from '@playwright/test';
import { AxeBuilder } from '@axe-core/playwright';
import { Authenticator } from './authenticator.ts';
import { Complaints } from './complaints.ts';
import { House } from './house.ts';

export { expect };

export type Options = {
  /** Whether the browser may load WebAssembly. */
  wasm: boolean;
};

type Fixtures = {
  /** Says that the page, as it is now, has no accessibility violations. */
  accessible: () => Promise<void>;
  /** A passkey device in the page: resident keys, user verification, always present. */
  authenticator: Authenticator;
  /** What the browser complained about; `complaints.expect(/…/)` announces one. */
  complaints: Complaints;
};

type WorkerFixtures = {
  /** A freshly started Keywarden with an empty database, shared by the journeys of one worker. */
  house: House;
};

export const test = base.extend<Options & Fixtures, WorkerFixtures>({
  wasm: [true, { option: true }],

  house: [
    async ({}, use, worker) => {
      const house = await House.start(worker.parallelIndex, worker.workerIndex);
      await use(house);
      await house.stop();
    },
    { scope: 'worker', timeout: 60_000 },
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

  accessible: async ({ page }, use) => {
    await use(async () => {
      const found = await new AxeBuilder({ page }).analyze();
      const violations = found.violations.map(
        ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`,
      );
      expect(violations, `${page.url()} has no accessibility violations`).toEqual([]);
    });
  },
});
