// A secret's life: made, looked at, changed, taken back, deleted, restored, and one of its values destroyed.
import { expect, test } from '../house/test.ts';

test('a secret is made, revealed, replaced, deleted, restored, and an old value destroyed', async ({
  accessible,
  admin,
  owner,
  page,
}, { project }) => {
  test.setTimeout(180_000);
  const main = page.getByRole('main');
  const slug = `vaulted-${project.name}`;
  const first = 'first-value-9f2\nwith a second line';
  await admin.post('/projects', { slug, name: `Vaulted ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });

  await test.step('made from an empty environment', async () => {
    await page.goto(`/secrets?project=${slug}&environment=live`);
    await expect(main.getByRole('heading', { name: 'Nothing here yet' })).toBeVisible();
    await accessible();
    await owner.press('Create secret');
    await accessible();
    await owner.field('Path').fill('database/primary/password');
    await owner.field('Value').fill(first);
    await owner.field('Description').fill('The shop signs in with it.');
    await owner.press('Create secret');
    await owner.isAt('password');
    expect(await page.content(), 'no page holds the value').not.toContain('first-value-9f2');
    await accessible();
  });
  const secret = page.url();

  await test.step('found through its folders', async () => {
    await page.goto(`/secrets?project=${slug}&environment=live`);
    await main.getByRole('link', { name: 'database/' }).click();
    await main.getByRole('link', { name: 'primary/' }).click();
    await accessible();
    await main.getByRole('link', { name: 'password' }).click();
    await owner.isAt('password');
  });

  await test.step('revealed, covered until it is wanted, and once', async () => {
    await owner.press('Reveal');
    await owner.isAt('Value revealed');
    const value = page.locator('#secret');
    await expect(value).toBeHidden();
    await main.getByText('Show', { exact: true }).click();
    await expect(value).toHaveText(first);
    await accessible();
    await main.getByText('Hide', { exact: true }).click();
    await expect(value).toBeHidden();
    await owner.press('Done');
    await owner.isAt('password');
    await page.goBack().catch(() => undefined);
    expect(await page.content(), 'not behind the back button').not.toContain('first-value-9f2');
  });

  await test.step('a new version, made by nobody', async () => {
    await page.goto(secret);
    await owner.press('New version');
    await page.getByRole('radio', { name: 'Generate one' }).check();
    await expect(owner.field('Value')).toBeHidden();
    await accessible();
    await owner.press('New version');
    await owner.isAt('password');
    await expect(main.getByRole('row', { name: /Version 2/ })).toContainText('current');
    await expect(main.getByRole('row', { name: /Version 1/ })).toContainText('previous');
  });

  await test.step('the old one is current again', async () => {
    await main.getByRole('link', { name: 'Version 1', exact: true }).click();
    await accessible();
    await owner.press('Set label');
    await accessible();
    await owner.press('Set label');
    await owner.isAt('password');
    await expect(main.getByRole('row', { name: /Version 1/ })).toContainText('current');
  });

  await test.step('deleted, with the day it goes, and restored', async () => {
    await owner.press('Delete');
    await accessible();
    await owner.press('Delete');
    await expect(main.getByText('This secret is deleted.').first()).toBeVisible();
    await accessible();
    await page.goto('/secrets?state=deleted');
    await expect(main.getByRole('row', { name: /database\/primary\/password/ }).filter({ hasText: slug })).toBeVisible();
    await accessible();
    await page.goto(secret);
    await owner.press('Restore');
    await owner.press('Restore');
    await owner.isAt('password');
    await expect(main.getByRole('link', { name: 'New version' })).toBeVisible();
  });

  await test.step('the other value is destroyed, and stays listed', async () => {
    await main.getByRole('link', { name: 'Version 2', exact: true }).click();
    await owner.press('Destroy');
    await owner.field("The secret's name").fill('password');
    await accessible();
    await owner.press('Destroy');
    await owner.isAt('password');
    await expect(main.getByRole('row', { name: /Version 2/ })).toContainText('Destroyed');
    await accessible();
  });

  await test.step('who did what is in the record', async () => {
    await page.goto(`${secret}?tab=audit`);
    for (const action of ['secret.create', 'secret.read', 'secret.put', 'secret.label', 'secret.delete', 'secret.restore', 'secret.destroy-version']) {
      await expect(main.getByRole('row').filter({ hasText: action }).first()).toBeVisible();
    }
    await accessible();
  });
});
