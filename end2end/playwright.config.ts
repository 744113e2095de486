// Journeys through the console, each twice: with WebAssembly, and with `.wasm` blocked.
// `.ci/journeys` runs them; it says which binary, database engine and browser to use.
import { defineConfig } from '@playwright/test';
import type { Options } from './house/test.ts';

const asRoot = process.getuid?.() === 0;

export default defineConfig<Options>({
  // Journeys, what `make bench` measures in a browser, or the pictures of `make looks`.
  testDir: process.env.KEYWARDEN_E2E_FOLDER ?? './journeys',
  outputDir: './test-results',
  // One for all machines: they hold words, no pictures.
  snapshotPathTemplate: '{testDir}/{testFileName}-snapshots/{arg}{ext}',
  forbidOnly: Boolean(process.env.CI),
  fullyParallel: false,
  reporter: [['list'], ['html', { outputFolder: './report', open: 'never' }]],
  // A machine that other work slows down can make a ceremony late; a journey that needed its second try is told as flaky.
  retries: process.env.CI ? 1 : 0,
  timeout: 60_000,
  workers: 2,
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: process.env.KEYWARDEN_E2E_BROWSER || undefined,
      args: [
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-gpu',
        '--disable-quic',
        '--disable-sync',
        '--no-first-run',
        ...(asRoot ? ['--no-sandbox'] : []),
      ],
    },
    locale: 'en',
    serviceWorkers: 'block',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'wasm', use: { wasm: true } },
    { name: 'plain', use: { wasm: false } },
  ],
});
