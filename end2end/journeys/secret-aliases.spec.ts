// What clients of other systems call a secret: given, refused where that system has no such name, and taken away.
import { expect, test } from '../house/test.ts';

test('a secret gets a name in another system, which refuses what is none there, and loses it', async ({
  accessible,
  admin,
  owner,
  page,
}, { project }) => {
  const main = page.getByRole('main');
  const slug = `aliases-${project.name}`;
  await admin.post('/projects', { slug, name: `Aliases ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  await page.goto(`/secrets/new?project=${slug}&environment=live`);
  await owner.field('Path').fill('database/password');
  await owner.field('Value').fill('hunter2-93f');
  await owner.press('Create secret');
  await owner.isAt('password');
  const secret = page.url();

  await test.step('a name that the system has not', async () => {
    await expect(main.getByText('It has none.')).toBeVisible();
    const azure = main.getByRole('link', { name: 'Azure Key Vault' });
    await expect(azure).toBeHidden();
    await main.getByText('Name it for another system').click();
    await azure.click();
    await owner.isAt('Name in Azure Key Vault');
    await owner.field('Name').fill('database/password');
    await owner.press('Save');
    await expect(main.getByText('There is no such name in this system.').first()).toBeVisible();
    await accessible();
  });

  await test.step('one that it has', async () => {
    await owner.field('Name').fill('Database-Password');
    await owner.press('Save');
    await owner.isAt('password');
    await expect(main.getByText('Database-Password', { exact: true })).toBeVisible();
    await accessible();
  });

  await test.step('taken away', async () => {
    await page.goto(`${secret}/aliases/azure`);
    await owner.field('Name').fill('');
    await owner.press('Save');
    await owner.isAt('password');
    await expect(main.getByText('Database-Password', { exact: true })).toHaveCount(0);
  });
});
