// A value that refers to others: made before they are there, revealed in both ways, and what is said when one goes.
import { expect, test } from '../house/test.ts';

test('a template is made, revealed resolved and as it was put, and its secret warns before it goes', async ({
  accessible,
  admin,
  owner,
  page,
}, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const value = page.locator('#secret');
  const slug = `templates-${project.name}`;
  await admin.post('/projects', { slug, name: `Templates ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  const text = `postgres://app:\${${slug}/live/database/password}@db`;

  await test.step('a reference that is none is told where it stands', async () => {
    await page.goto(`/secrets/new?project=${slug}&environment=live`);
    await owner.field('Path').fill('database/url');
    await owner.field('Value').fill('postgres://app:${password}@db');
    await main.getByRole('checkbox', { name: 'The value is a template' }).check();
    await owner.press('Create secret');
    await expect(main.getByText('Line 1, character 16:').first()).toBeVisible();
    await accessible();
  });

  await test.step('made before what it refers to', async () => {
    await owner.field('Value').fill(text);
    await owner.press('Create secret');
    await owner.isAt('url');
    await expect(main.getByText('1 reference leads to nothing that you can see')).toBeVisible();
    await accessible();
  });
  const url = page.url();

  await test.step('resolved and as it was put', async () => {
    await page.goto(`/secrets/new?project=${slug}&environment=live`);
    await owner.field('Path').fill('database/password');
    await owner.field('Value').fill('hunter2-93f');
    await owner.press('Create secret');
    await owner.isAt('password');
    await expect(main.getByRole('heading', { name: 'Referenced by' })).toBeVisible();
    await page.goto(url);
    await owner.press('Reveal as it was put');
    await owner.isAt('Value revealed');
    await main.getByText('Show', { exact: true }).click();
    await expect(value).toHaveText(text);
    await accessible();
    await page.goto(url);
    await owner.press('Reveal');
    await owner.isAt('Value revealed');
    await main.getByText('Show', { exact: true }).click();
    await expect(value).toHaveText('postgres://app:hunter2-93f@db');
    await accessible();
  });

  await test.step('what it refers to warns before it goes', async () => {
    await page.goto(url);
    await main.getByRole('link', { name: `${slug}/live/database/password` }).click();
    await owner.isAt('password');
    await main.getByRole('link', { name: 'Delete' }).click();
    await expect(main.getByText(`${slug}/live/database/url`)).toBeVisible();
    await accessible();
    await owner.press('Delete');
    await page.goto(url);
    await owner.press('Reveal');
    await expect(main.getByText('this secret is deleted')).toBeVisible();
    await accessible();
  });
});
