// What a browser keeps after somebody worked with secrets in it: nothing of them (S-20).
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { Authenticator } from '../house/authenticator.ts';
import { Person } from '../house/person.ts';
import { expect, test } from '../house/test.ts';

/** Every way in which a text may be written down. */
const forms = (text: string): Buffer[] => {
  const bytes = Buffer.from(text);
  const coded = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // Characters that hold bits of neighbours are left out.
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const hex = bytes.toString('hex');
  const written = [text, hex, hex.toUpperCase(), encodeURIComponent(text), JSON.stringify(text).slice(1, -1), ...coded];
  const wide = Buffer.from(text, 'utf16le');
  return [...written.map((it) => Buffer.from(it)), ...coded.map((it) => Buffer.from(it.replace(/\+/g, '-').replace(/\//g, '_'))), wide];
};

/** Which of these stand in `bytes`. */
const found = (bytes: Buffer, marks: Record<string, string>): string[] =>
  Object.entries(marks)
    .filter(([, text]) => forms(text).some((form) => bytes.includes(form)))
    .map(([what]) => what);

/** All that scripts of this origin could find, and the addresses that the tab remembers. */
async function kept(page: Page, context: BrowserContext): Promise<string> {
  const own = await page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const caches: string[] = [];
    for (const name of await window.caches.keys()) {
      for (const request of await (await window.caches.open(name)).keys()) {
        caches.push(request.url);
      }
    }
    const workers = await navigator.serviceWorker.getRegistrations();
    return JSON.stringify({
      local: { ...localStorage },
      session: { ...sessionStorage },
      databases,
      caches,
      workers: workers.length,
      cookies: document.cookie,
      name: window.name,
      state: history.state,
      here: location.href,
      referrer: document.referrer,
    });
  });
  const session = await context.newCDPSession(page);
  const { entries } = await session.send('Page.getNavigationHistory');
  return own + JSON.stringify(entries) + JSON.stringify(await context.cookies());
}

/** Every file of a browser's profile: disk cache, history, what was typed, storage. */
async function files(folder: string): Promise<[string, Buffer][]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = all.filter((it) => it.isFile()).map((it) => join(it.parentPath, it.name));
  return Promise.all(paths.map(async (path) => [path, await readFile(path)] as [string, Buffer]));
}

test('a search finds what was left, however it is written', () => {
  const secret = 'kept+by/nobody~0123456789 abcdef';
  const marks = { secret };
  for (const before of ['', 'a', 'ab', 'abc']) {
    const whole = Buffer.from(`${before}${secret}z`);
    for (const text of [whole.toString('base64'), whole.toString('hex'), whole.toString(), encodeURIComponent(whole.toString())]) {
      expect(found(Buffer.from(text), marks), text).toEqual(['secret']);
    }
  }
  expect(found(Buffer.from(secret, 'utf16le'), marks)).toEqual(['secret']);
  expect(found(Buffer.from('something else'), marks)).toEqual([]);
});

test('nothing of a secret is left in a browser after it was typed, shown and shared', async ({
  admin,
  house,
  launchOptions,
  ownersPasskey,
  playwright,
  wasm,
}, { project }) => {
  test.setTimeout(180_000);
  const profile = test.info().outputPath('profile');
  const marks: Record<string, string> = {};
  const mark = (what: string) => (marks[what] = `left${what.replace(/\W/g, '')}${Math.random().toString(36).slice(2).padEnd(12, '7')}${Date.now()}`);
  const slug = `left-${project.name}`;
  await admin.post('/projects', { slug, name: `Left ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });

  const options = { ...launchOptions, baseURL: house.url, locale: 'en' };
  const context = await playwright.chromium.launchPersistentContext(profile, options);
  const page = await context.newPage();
  if (!wasm) {
    await context.route('**/*.wasm', (route) => route.abort('blockedbyclient'));
  }
  const owner = new Person(page, await Authenticator.attach(page));
  await owner.device.add(ownersPasskey);
  await page.goto(house.url);
  await owner.signIn(house.url);
  const main = page.getByRole('main');

  await test.step('a value is typed, refused, typed again and shown', async () => {
    await page.goto(`/secrets?project=${slug}&environment=live`);
    await owner.press('Create secret');
    await owner.field('Path').fill('a//b');
    await owner.field('Value').fill(mark('a refused value'));
    await owner.press('Create secret');
    await owner.field('Path').fill('shop/password');
    await owner.field('Value').fill(mark('a value'));
    await owner.press('Create secret');
    await owner.isAt('password');
    const secret = page.url();
    await owner.press('Reveal');
    await owner.isAt('Value revealed');
    await main.getByText('Show', { exact: true }).click();
    await expect(page.locator('#secret')).toHaveText(marks['a value']);
    await page.goto(secret);
    await owner.press('Share by link');
    await page.getByRole('radio', { name: 'Whoever has a passphrase' }).check();
    await owner.press('Share by link');
    await owner.isAt('Link made');
    marks['a link'] = (await owner.field('Link').inputValue()).split('_').at(-1)!;
    marks['a passphrase'] = await owner.field('Passphrase').inputValue();
  });

  await test.step('a key is looked for among leaks', async () => {
    await page.goto('/leaks');
    await main.getByRole('textbox').first().fill(mark('a leak'));
    await main.getByRole('button').first().click();
    await page.waitForLoadState();
  });

  await test.step('what scripts, the tab and cookies keep', async () => {
    await page.goto('/');
    const left = Buffer.from(await kept(page, context));
    expect(left.includes('keywarden'), 'cookies were looked at').toBe(true);
    expect(found(left, marks)).toEqual([]);
    expect(left.includes('"local":{}') && left.includes('"session":{}'), left.toString()).toBe(true);
    expect(left.includes('"databases":[],"caches":[],"workers":0'), left.toString()).toBe(true);
  });

  await test.step('what lies on the disk', async () => {
    await context.close();
    const lies = await files(profile);
    expect(lies.length, 'the profile is there').toBeGreaterThan(10);
    const address = new URL(house.url).host;
    expect(lies.some(([, bytes]) => bytes.includes(address)), 'it was this browser that was used').toBe(true);
    const left = lies.flatMap(([path, bytes]) => found(bytes, marks).map((what) => `${what} in ${path}`));
    expect(left).toEqual([]);
  });
});
