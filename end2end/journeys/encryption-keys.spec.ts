// What lies under what, and each of the four rotations by its own page.
import { expect, test } from '../house/test.ts';

test('a data key, a project key, a keyring key and the HSM key are rotated, and the old ones go', async ({
  accessible,
  admin,
  owner,
  page,
}, { project }) => {
  test.setTimeout(180_000);
  const main = page.getByRole('main');
  const slug = `rotated-${project.name}`;
  await admin.post('/projects', { slug, name: `Rotated ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });

  await test.step('a project without a secret has no key', async () => {
    await page.goto(`/projects/${slug}`);
    await owner.press('Project key');
    await expect(main.getByText('This project has no key yet')).toBeVisible();
    await accessible();
  });

  await test.step('its first secret, and a new data key for it', async () => {
    await page.goto(`/secrets/new?project=${slug}&environment=live`);
    await owner.field('Path').fill('database/password');
    await owner.field('Value').fill('value-that-stays');
    await owner.press('Create secret');
    await owner.isAt('password');
    await owner.press('Rotate data key');
    await accessible();
    await owner.press('Rotate data key');
    await owner.isAt('password');
    await expect(main.getByRole('row', { name: /Version 2/ })).toContainText('current');
  });
  const secret = page.url();

  const follows = async () => {
    await expect(main.getByText('Done', { exact: true }).first()).toBeVisible({ timeout: 60_000 });
    await accessible();
  };

  await test.step('the project key', async () => {
    await page.goto(`/projects/${slug}/key`);
    await accessible();
    await owner.press('Rotate the project key');
    await accessible();
    await owner.press('Rotate the project key');
    await owner.isAt(`Data keys of ${slug}`);
    await follows();
    await expect(main.getByText('2 of 2')).toBeVisible();
    await page.goto(`/projects/${slug}/key`);
    await expect(main.getByText('Only unwraps'), 'the old key is gone').toBeHidden();
  });

  await test.step('the keyring key', async () => {
    await page.goto('/system');
    await owner.press('Encryption keys');
    await accessible();
    await page.goto('/system/keys/keyring/project-key/rotate');
    await accessible();
    await owner.press('Rotate');
    await owner.isAt('Project keys');
    await follows();
  });

  await test.step('the HSM key, and the end of the old one', async () => {
    await page.goto('/system/keys/hsm/rotate');
    await accessible();
    await owner.press('Rotate the HSM key');
    await owner.isAt('Keyring keys');
    await page.goto('/system/keys');
    await main.locator('#hsm').getByRole('link', { name: 'Destroy' }).first().click();
    await accessible();
    await owner.press('Destroy');
    await expect(main.getByText(/as it is\./).first()).toBeVisible();
    await owner.field("The seal's name").fill('softhsm:keywarden');
    await owner.press('Destroy');
    await owner.isAt('Encryption keys');
    await accessible();
  });

  await test.step('and the value reads as it was put', async () => {
    await page.goto(secret);
    await owner.press('Reveal');
    await expect(page.locator('#secret')).toHaveText('value-that-stays');
  });
});
