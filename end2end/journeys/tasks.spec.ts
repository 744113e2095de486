// What people come to do, in few clicks, with addresses that can be shared (the bars U-06, U-07 and U-08).
import type { Page } from '@playwright/test';
import { expect, test } from '../house/test.ts';

test('a key in two clicks from the overview, and its value is nowhere else', async ({ home, page, tenant }) => {
  const { person } = tenant;
  await page.goto(home.house.url);
  await person.press('Issue key');
  await person.field('Environment').selectOption({ label: 'Payments / Production' });
  await person.field('Name').fill('two-clicks');
  await person.press('Issue key');
  const value = await person.takeValue();

  const html = await page.content();
  expect(html.split(value).length - 1, 'once in the page').toBe(1);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, document.title, location.href, document.cookie]));
  expect(kept).not.toContain(value);

  await person.press('I have stored it');
  await person.isAt('two-clicks');
  // The answer to a post is asked for anew, or not at all.
  await page.goBack().catch(() => undefined);
  expect(await page.content(), 'nor behind the back button').not.toContain(value);
});

test('rotating what needs it takes three clicks', async ({ home, page, tenant }) => {
  await page.goto(home.house.url);
  await page.getByRole('main').getByRole('link', { name: 'checkout' }).first().click();
  await tenant.person.press('Rotate key');
  await tenant.person.press('Rotate key');
  await tenant.person.isAt('Key rotated');
});

test('a filter is an address: it can be reloaded, shared and come back to', async ({ home, page, tenant }) => {
  await page.goto(`${home.house.url}/keys`);
  await page.getByLabel('State').selectOption('suspended');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(page).toHaveURL(/state=suspended/);
  const rows = page.getByRole('main').getByRole('row');
  await expect(rows).toHaveCount(2);
  const address = page.url();
  await page.reload();
  await expect(rows).toHaveCount(2);
  await page.getByRole('main').getByRole('link', { name: 'fraud-scoring' }).click();
  await tenant.person.isAt('fraud-scoring');
  await page.goBack();
  expect(page.url()).toBe(address);
  await expect(rows).toHaveCount(2);
  await page.getByRole('link', { name: /Remove filter/ }).click();
  await expect(page).toHaveURL(/\/keys$/);
});

test('all keys that nobody used for 90 days take two clicks and a choice', async ({ home, page, tenant }) => {
  await tenant.person.isAt('Home');
  await page.goto(home.house.url);
  await page.getByRole('navigation').getByRole('link', { name: 'Keys', exact: true }).first().click();
  await page.getByLabel('Not used').selectOption({ label: 'for 90 days' });
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(page).toHaveURL(/unused=90/);
  await expect(page.getByRole('main')).toContainText('Not used: for 90 days');
});

test('who did what is told by name', async ({ home, page, tenant }) => {
  await page.goto(`${home.house.url}/audit?resource=${tenant.estate.compromised}&action=key.revoke`);
  const revoked = page.getByRole('main').getByRole('row').nth(1);
  await expect(revoked).toContainText('terraform');
  await expect(revoked).toContainText('sms-sender');
});

/** Opens the secret's page from the overview: by the palette where there is one, else by the search. */
async function findsSecret(page: Page, wasm: boolean, search: string, name: string): Promise<void> {
  if (wasm) {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search or jump to' }).fill(search);
    await expect(page.getByRole('option', { name: new RegExp(name) })).toBeVisible();
    await page.keyboard.press('Enter');
    return;
  }
  await page.getByRole('navigation').getByRole('link', { name: 'Secrets', exact: true }).first().click();
  await page.getByRole('searchbox').filter({ visible: true }).first().fill(search);
  await page.keyboard.press('Enter');
  await page.getByRole('main').getByRole('row').nth(1).getByRole('link').first().click();
}

test('who can read a secret is one click from its page', async ({ home, page, tenant, wasm }) => {
  await page.goto(home.house.url);
  await findsSecret(page, wasm, 'primary/password', 'password');
  await tenant.person.isAt('password');
  await page.getByRole('link', { name: 'Access', exact: true }).click();
  const readers = page.getByRole('group', { name: 'Who can read it' });
  await expect(readers.getByRole('row', { name: /Ada Lovelace/ })).toContainText('Manager in pay, through the team Payments team');
  await expect(readers.getByRole('row', { name: /terraform/ })).toContainText('Admin');
  await expect(readers).not.toContainText('nightly-report');
});

test('who read a secret yesterday is one click from its page, and so are all its readings', async ({ home, page, tenant, wasm }) => {
  await page.goto(home.house.url);
  await findsSecret(page, wasm, 'primary/password', 'password');
  await tenant.person.isAt('password');
  await page.getByRole('link', { name: 'Audit', exact: true }).filter({ visible: true }).last().click();
  await expect(page.getByRole('main').getByRole('row', { name: /secret\.read/ }).first()).toContainText('terraform');
  await page.getByRole('link', { name: 'Access', exact: true }).click();
  await page.getByRole('link', { name: 'Who did read it' }).click();
  const events = page.getByRole('main').getByRole('row');
  await expect(events.nth(1)).toContainText('secret.read');
  await expect(page.getByRole('main')).not.toContainText('secret.put');
});
