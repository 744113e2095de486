// The main job, from the setup link to a verification that is refused.
import { Machine } from '../house/machine.ts';
import { expect, test } from '../house/test.ts';

test('from the setup link to a key issued, verified, rotated and revoked', async ({
  accessible,
  page,
  somebody: ada,
  untouched: house,
}) => {
  test.setTimeout(180_000);
  const main = page.getByRole('main');

  await test.step('the organization and its owner', async () => {
    await page.goto(house.setupLink);
    await accessible();
    await ada.setUp(house.setupLink, 'Acme', 'Ada Lovelace');
    await ada.isAt('Home');
    await expect(main.getByRole('heading', { name: 'Welcome to Keywarden' })).toBeVisible();
    await accessible();
  });

  await test.step('a project with an environment', async () => {
    await ada.press('Create project');
    await accessible();
    await ada.field('Name').fill('Payments');
    await ada.field('Slug').fill('pay');
    await ada.press('Create project');
    await ada.isAt('Payments');
    await expect(main.getByRole('status').or(main.locator('.banner')).first()).toContainText('Created project Payments.');
    await accessible();
  });

  const first = await test.step('a key, shown once', async () => {
    await page.getByRole('link', { name: 'Keys', exact: true }).click();
    await expect(main.getByRole('heading', { name: 'No keys yet' })).toBeVisible();
    await accessible();
    await ada.press('Issue key');
    await accessible();
    await ada.field('Environment').selectOption({ label: 'Payments / Production' });
    await ada.field('Name').fill('checkout');
    await ada.field('Scopes').fill('orders:read\norders:write');
    await ada.press('Issue key');
    await ada.isAt('Key issued');
    const value = await ada.takeValue();
    expect(value).toMatch(/^kwk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
    await expect(main.locator('#curl')).toContainText(`curl ${house.url}/api/v1/keys/verify`);
    expect(page.url(), 'no value is in an address').not.toContain('kwk_');
    await accessible();
    await ada.press('I have stored it');
    await ada.isAt('checkout');
    expect(await page.content(), 'nor in another page').not.toContain(value);
    return value;
  });
  const key = page.url();

  const gateway = await test.step('a service that may verify', async () => {
    await page.getByRole('link', { name: 'Workloads', exact: true }).click();
    await accessible();
    await ada.press('Create workload');
    await ada.field('Name').fill('gateway');
    await ada.field('Project').selectOption('pay');
    await ada.field('Role').selectOption('verifier');
    await accessible();
    await ada.press('Create workload');
    await ada.isAt('gateway');
    await accessible();
    await ada.press('Issue token');
    await ada.isAt('Issue token');
    await ada.press('Issue token');
    await ada.isAt('Service token issued');
    await accessible();
    return new Machine(house.url, await ada.takeValue());
  });

  await test.step('the value is good', async () => {
    const from = { ip: '198.51.100.7', caller: 'checkout/2.1' };
    expect(await gateway.verify(first, { scopes: ['orders:read'], ...from })).toMatchObject({
      valid: true,
      code: 'valid',
      superseded: false,
      scopes: ['orders:read', 'orders:write'],
    });
    expect(await gateway.verify(first, { scopes: ['refunds:write'] })).toMatchObject({
      valid: false,
      code: 'insufficient_scope',
    });
  });

  const second = await test.step('a new value, while the old one works on', async () => {
    await page.goto(key);
    await accessible();
    await ada.press('Rotate key');
    await expect(page.getByRole('radio', { name: '24 hours' })).toBeChecked();
    await accessible();
    await ada.press('Rotate key');
    await ada.isAt('Key rotated');
    const value = await ada.takeValue();
    expect(value).not.toBe(first);
    expect(await gateway.verify(first, { ip: '198.51.100.7', caller: 'checkout/2.1' })).toMatchObject({
      valid: true,
      superseded: true,
    });
    expect(await gateway.verify(value, { ip: '203.0.113.9', caller: 'billing/1.4' })).toMatchObject({
      valid: true,
      superseded: false,
    });
    return value;
  });

  await test.step('the drain board names who still uses the old value', async () => {
    await expect(async () => {
      await page.goto(`${key}?tab=drain`);
      const straggler = main.getByRole('row', { name: /198\.51\.100\.7 · checkout\/2\.1/ });
      await expect(straggler).toContainText('Still on the old value', { timeout: 500 });
      await expect(straggler).toContainText('gateway');
    }).toPass({ timeout: 15_000 });
    await accessible();
  });

  await test.step('the old value stops at once, and says who breaks', async () => {
    await ada.press('Stop the old value now');
    await expect(main.getByText('198.51.100.7 · checkout/2.1')).toBeVisible();
    await accessible();
    await ada.press('Stop the old value now');
    await expect(main.getByRole('heading', { name: 'No old value works' })).toBeVisible();
    expect(await gateway.verify(first)).toMatchObject({ valid: false, code: 'expired' });
    expect(await gateway.verify(second)).toMatchObject({ valid: true });
    await accessible();
  });

  await test.step('revoked, and refused from then on', async () => {
    await page.goto(key);
    await ada.press('Revoke');
    await page.getByRole('radio', { name: 'Compromised' }).check();
    await accessible();
    await ada.press('Revoke key');
    await ada.isAt('checkout');
    await expect(main.getByText('Compromised', { exact: true }).first()).toBeVisible();
    expect(await gateway.verify(second)).toMatchObject({ valid: false, code: 'revoked' });
    await accessible();
  });

  await test.step('all of it is in the record', async () => {
    await page.goto(`${key}?tab=audit`);
    for (const action of ['key.issue', 'key.rotate', 'key.stop-old-value', 'key.revoke']) {
      await expect(main.getByRole('row').filter({ hasText: action }).first()).toBeVisible();
    }
    await accessible();
  });
});
