// A secret's way through the environments: given to a team, seen to be missing, promoted, and seen to be the same.
import { expect, test } from '../house/test.ts';

test('a secret is found by its tag, compared across environments and promoted', async ({
  accessible,
  admin,
  owner,
  page,
}, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const slug = `carried-${project.name}`;
  const value = 'carried-value-71c';
  await admin.post('/projects', { slug, name: `Carried ${project.name}` });
  for (const [environment, name] of [['staging', 'Staging'], ['live', 'Live']]) {
    await admin.post(`/projects/${slug}/environments`, { slug: environment, name, label: environment });
  }

  await test.step('made in staging, with an owner and a tag', async () => {
    await page.goto(`/secrets/new?project=${slug}&environment=staging`);
    await owner.field('Path').fill('database/password');
    await owner.field('Value').fill(value);
    await owner.field('Tags').fill(`team=${slug}`);
    await accessible();
    await owner.press('Create secret');
    await owner.isAt('password');
    await accessible();
  });
  const secret = page.url();

  await test.step('found by its tag', async () => {
    await main.getByRole('link', { name: `team=${slug}` }).click();
    await expect(main.getByRole('row', { name: /database\/password/ })).toHaveCount(1);
    await accessible();
  });

  await test.step('live lacks it', async () => {
    await page.goto(`/secrets?project=${slug}`);
    await main.getByRole('link', { name: 'Side by side' }).click();
    const row = main.getByRole('row', { name: /database\/password/ });
    await expect(row).toContainText('Version 1');
    await expect(row).toContainText('missing');
    await accessible();
    await main.getByRole('combobox', { name: 'Show' }).selectOption('Only what is missing');
    await main.getByRole('button', { name: 'Filter' }).click();
    await expect(row).toBeVisible();
    await row.getByRole('link', { name: 'Version 1' }).click();
    await owner.isAt('password');
  });

  await test.step('promoted to live', async () => {
    await main.getByRole('row', { name: /Live/ }).getByRole('link', { name: 'Promote' }).click();
    await expect(main.getByRole('heading', { name: 'Promote database/password from staging to Live' })).toBeVisible();
    await accessible();
    await owner.press('Promote');
    await owner.isAt('password');
    expect(page.url(), 'it is another secret').not.toBe(secret);
    expect(await page.content(), 'and shows no value').not.toContain(value);
    await expect(main.getByRole('row', { name: /Staging/ })).toContainText('same as here');
    await accessible();
  });

  await test.step('no difference is left', async () => {
    await page.goto(`/secrets/beside?project=${slug}`);
    await expect(main.getByRole('row', { name: /database\/password/ })).toContainText('same as');
    await accessible();
    await page.goto(`/secrets/beside?project=${slug}&only=differences`);
    await expect(main.getByRole('heading', { name: 'No differences' })).toBeVisible();
    await accessible();
  });
});
