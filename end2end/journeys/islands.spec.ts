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

test('form and text of a policy follow each other, and words complete themselves', async ({ accessible, owner, page }) => {
  const main = page.getByRole('main');
  const text = owner.field('The same as text');
  await page.goto('/policies/new?template=office-network');
  const says = main.getByRole('status');
  await test.step('the text follows the form', async () => {
    await owner.field('the request comes from').fill('192.0.2.0/24');
    await expect(text).toHaveValue(/192\.0\.2\.0\/24/);
    await expect(says).toHaveText('Form and text say the same.');
    await owner.field('the request comes from').fill('nowhere');
    await expect(says).toHaveText('The text follows once each part of the form is filled in.');
    await expect(text).toHaveValue(/192\.0\.2\.0\/24/);
    await owner.field('the request comes from').fill('198.51.100.0/24');
    await expect(text).toHaveValue(/198\.51\.100\.0\/24/);
  });
  await test.step('a new condition has the focus, and its button posts nothing away', async () => {
    await owner.field('New condition in part 1').selectOption({ label: 'they signed in with' });
    await main.getByRole('button', { name: 'Add condition to part 1' }).click();
    await expect(owner.field('they signed in with')).toBeFocused();
    await owner.field('they signed in with').selectOption({ label: 'a passkey' });
    await expect(text).toHaveValue(/signInMethod == "passkey"/);
    await accessible();
  });
  await test.step('the form follows the text, and waits while there is none', async () => {
    await text.fill('forbid (principal, action');
    await expect(says).toContainText('The text is no policy yet. The form waits. Error: Line 1, column');
    await expect(owner.field('Who')).toBeDisabled();
    await accessible();
    await text.fill('forbid (principal, action, resource) when { context.passkeyAge > 5 };');
    await expect(owner.field('Who')).toBeEnabled();
    await expect(main.locator('.policy-form textarea')).toHaveCount(1);
    await text.fill('forbid (principal, action, resource) when { resource is Secret };');
    await expect(main.locator('.policy-flag')).toHaveText('the thing is a secret');
  });
  await test.step('comments are not lost by a change of the form', async () => {
    await text.fill('// Why.\nforbid (principal, action, resource) when { resource is Secret };');
    await expect(says).toHaveText('Form and text say the same.');
    await owner.field('Can or must never').selectOption({ label: 'can' });
    await expect(says).toContainText('The text has comments');
    await expect(text).toHaveValue(/^\/\/ Why/);
  });
  await test.step('words complete themselves', async () => {
    await text.fill('forbid (principal, action, resource) when { ');
    await text.press('End');
    await text.pressSequentially('passk');
    await expect(main.getByRole('option', { name: /context\.passkeyAge/ })).toBeVisible();
    await accessible();
    await text.press('Escape');
    await expect(main.locator('.policy-offers').getByRole('option')).toHaveCount(0);
    await text.pressSequentially('eyA');
    await text.press('ArrowDown');
    await text.press('Enter');
    await expect(text).toHaveValue('forbid (principal, action, resource) when { context.passkeyAge');
    await text.pressSequentially(' > 5 };');
    await expect(says).toHaveText('Form and text say the same.');
  });
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
