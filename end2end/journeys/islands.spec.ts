// What WebAssembly adds: copying, and the palette. Everything else works without it (the project "plain").
import type { BrowserContext } from '@playwright/test';
import { expect, test } from '../house/test.ts';

test.beforeEach(async ({ admin, context, wasm }) => {
  test.skip(!wasm, 'these are islands');
  await context.grantPermissions(['clipboard-write']);
  await admin.post('/projects', { slug: 'islands', name: 'Islands' }).catch(() => {});
  await admin.post('/projects/islands/environments', { slug: 'live', name: 'Live', label: 'live' }).catch(() => {});
});

/** What somebody would paste: the console itself may not read the clipboard. */
async function pasted(context: BrowserContext): Promise<string> {
  const page = await context.newPage();
  await page.goto('about:blank');
  await page.setContent('<textarea autofocus></textarea>');
  await page.getByRole('textbox').focus();
  await page.keyboard.press('Control+V');
  const text = await page.getByRole('textbox').inputValue();
  await page.close();
  return text;
}

test('a value goes to the clipboard by a click, and only then', async ({ accessible, context, owner, page }) => {
  const value = await owner.issueKey('copied', 'Islands / Live');
  const copy = page.locator('.secret').getByRole('button');
  await expect(copy).toBeEnabled();
  expect(await pasted(context)).not.toContain(value);
  await copy.click();
  await expect(copy).toHaveText('Copied');
  await accessible();
  expect(await pasted(context)).toBe(value);
  await page.locator('.code').getByRole('button').click();
  await expect(page.locator('.code').getByRole('button')).toHaveText('Copied');
  expect(await pasted(context)).toContain('/api/v1/keys/verify');
});

test('the palette finds a key by its name and goes there', async ({ accessible, owner, page }) => {
  await owner.issueKey('palette-target', 'Islands / Live');
  await page.goto('/');
  await page.keyboard.press('Control+k');
  const box = page.getByRole('combobox', { name: 'Search or jump to' });
  await expect(box).toBeFocused();
  await box.fill('palette-t');
  await expect(page.getByRole('option', { name: /palette-target/ })).toBeVisible();
  await accessible();
  await page.keyboard.press('Enter');
  await owner.isAt('palette-target');

  await page.keyboard.press('Control+k');
  await box.fill('zzzz');
  await expect(page.getByText('Nothing found.')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(box).toBeHidden();
});

test('a page that asks for a passkey fetches none of it, however long it is open', async ({ house, owner, page }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const fetched = () => asked.splice(0).filter((url) => /\.wasm$|\/islands\..*js$/.test(url));
  const stays = async () => {
    await page.clock.fastForward(61_000);
    await page.waitForLoadState('networkidle');
  };
  await owner.signOut();
  await page.clock.install();
  fetched();
  await page.goto('/sign-in');
  await stays();
  expect(fetched()).toEqual([]);
  await owner.press('Use passkey');
  await owner.isAt('Home');

  await page.goto('/projects/new');
  await owner.field('Name').fill('Patient');
  await owner.field('Slug').fill('patient');
  await house.clock.pass({ minutes: 6 });
  await owner.device.setUserVerified(false);
  fetched();
  await owner.press('Create project');
  await owner.isAskedInVain();
  await stays();
  expect(fetched()).toEqual([]);
  await owner.device.setUserVerified(true);
  await owner.press('Use passkey');
  await owner.isAt('Patient');
});
