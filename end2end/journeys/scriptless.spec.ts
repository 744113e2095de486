// With JavaScript off, everything can still be read, filtered, paged through and taken away (the bar U-04).
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, test as base } from '../house/test.ts';

/** The page of somebody who signed in and then turned JavaScript off. */
const test = base.extend<{ bare: Page }>({
  bare: async ({ browser, complaints, home, page, tenant: _ }, use) => {
    const storageState = await page.context().storageState();
    const context = await browser.newContext({ baseURL: home.house.url, javaScriptEnabled: false, storageState });
    await complaints.watch(context);
    await use(await context.newPage());
    await context.close();
  },
});

test.beforeEach(({ wasm }) => {
  test.skip(wasm, 'no script runs in either');
});

/** The lines of the file that a link or button leads to. */
async function taken(page: Page, name: string): Promise<string[]> {
  const coming = page.waitForEvent('download');
  await page.getByRole('main').getByRole('link', { name }).or(page.getByRole('button', { name })).click();
  return (await readFile((await (await coming).path())!, 'utf8')).trimEnd().split(/\r?\n/);
}

test('without JavaScript, keys and secrets are read, filtered and looked at', async ({ bare, tenant }) => {
  const main = bare.getByRole('main');
  const heading = bare.getByRole('heading', { level: 1 });
  await bare.goto('/');
  await bare.getByRole('navigation').getByRole('link', { name: 'Keys', exact: true }).first().click();
  await bare.getByLabel('State', { exact: true }).selectOption('suspended');
  await bare.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(bare).toHaveURL(/state=suspended/);
  await expect(main.getByRole('row')).toHaveCount(2);
  await main.getByRole('link', { name: 'fraud-scoring' }).click();
  await expect(heading).toHaveText('fraud-scoring');

  await bare.goto(`/keys/${tenant.estate.key}`);
  for (const tab of await main.locator('.tabs a').all()) {
    const href = (await tab.getAttribute('href'))!;
    await tab.click();
    await expect(bare).toHaveURL(href);
    await expect(main.locator('.tabs a[aria-current="page"]')).toHaveAttribute('href', href);
  }

  await bare.goto('/secrets?project=pay&environment=production');
  await main.getByRole('link', { name: 'database/' }).click();
  await main.getByRole('link', { name: 'primary/' }).click();
  await main.getByRole('link', { name: 'password' }).click();
  await expect(heading).toHaveText('password');
  await bare.getByRole('link', { name: 'Access', exact: true }).click();
  await expect(main.getByRole('group', { name: 'Who can read it' })).toContainText('Ada Lovelace');
});

test('without JavaScript, the record is filtered, paged through and taken away', async ({ bare }) => {
  const main = bare.getByRole('main');
  await bare.goto('/audit');
  const first = await main.getByRole('row').nth(1).innerText();
  await main.getByRole('link', { name: 'Next page' }).click();
  await expect(bare).toHaveURL(/after=/);
  await expect(main.getByRole('row').nth(1)).not.toHaveText(first);
  await main.getByRole('link', { name: 'First page' }).click();

  await main.getByLabel('Action', { exact: true }).selectOption('key.revoke');
  await main.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(main.getByRole('row')).toHaveCount(3);
  const lines = await taken(bare, 'Export CSV');
  expect(lines[0]).toMatch(/^id,at,action,/);
  expect(lines.slice(1).map((line) => line.split(',')[2])).toEqual(['key.revoke', 'key.revoke']);
  await main.getByRole('row').getByRole('link', { name: 'key.revoke' }).first().click();
  await expect(bare.getByRole('heading', { level: 1 })).toHaveText('key.revoke');
});

test('without JavaScript, the values of an environment are taken away', async ({ bare }) => {
  await bare.goto('/secrets?project=pay&environment=development');
  await bare.getByRole('main').getByRole('link', { name: 'Export' }).click();
  const lines = await taken(bare, 'Export 2 values');
  expect(lines).toEqual([expect.stringContaining('postgres://app@db.northwind.example/shop'), expect.stringContaining('{"user":"test"}')]);
});

test('without JavaScript, fields of a value are read, and a form that changes them says what is wrong', async ({ bare }) => {
  const main = bare.getByRole('main');
  const heading = bare.getByRole('heading', { level: 1 });
  await bare.goto('/secrets?project=pay&environment=production&folder=psp%2Fklarna');
  await main.getByRole('link', { name: 'credentials' }).click();
  await expect(heading).toHaveText('credentials');
  await main.getByRole('button', { name: 'Fields', exact: true }).click();
  await main.getByRole('button', { name: 'Reveal user' }).click();
  await main.getByText('Show', { exact: true }).click();
  await expect(bare.locator('#secret')).toHaveText('northwind');
  await main.getByRole('link', { name: 'Edit fields' }).click();
  await main.getByRole('button', { name: 'List the fields' }).click();
  await main.getByRole('group', { name: 'What becomes of key', exact: true }).getByRole('radio', { name: 'Replace it' }).check();
  await expect(main.getByLabel('New value of key', { exact: true })).toBeVisible();
  await expect(main.getByLabel('New value of user', { exact: true })).toBeHidden();
  await main.getByRole('button', { name: 'Save' }).click();
  await expect(main.getByRole('alert')).toContainText('New value of key');
});
