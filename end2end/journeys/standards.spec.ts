// A standard of one project: what breaks it is seen first, then it refuses, and then it ends.
import { expect, test } from '../house/test.ts';

test('a standard shows what breaks it, refuses new keys that would, and ends', async ({
  accessible,
  admin,
  owner,
  page,
}, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const slug = `held-${project.name}`;
  const name = `Names ${project.name}`;
  await admin.post('/projects', { slug, name: `Held ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  const key = { project: slug, environment: 'live' };
  const old = await admin.post<{ id: string }>('/keys', { ...key, name: 'Checkout' });

  await test.step('the form is tried before it is saved', async () => {
    await page.goto('/standards');
    await accessible();
    await page.goto(`/standards/new?project=${slug}`);
    await owner.field('Name').fill(name);
    await owner.field('Form of key names').fill('pay-(');
    await owner.press('Check');
    await expect(main.getByText('This is no pattern.').first()).toBeVisible();
    await accessible();
    await owner.field('Form of key names').fill('pay-[a-z]+');
    await owner.field('A name to try').fill('pay-books');
    await owner.press('Check');
    await expect(main.getByText('“pay-books” fits.')).toBeVisible();
    await expect(main.getByText('One thing breaks this.')).toBeVisible();
    await owner.press('Save draft');
    await owner.isAt(name);
    await expect(main.getByRole('link', { name: 'Checkout' })).toBeVisible();
    await accessible();
  });
  const standard = page.url();

  await test.step('in force, it refuses what would break it, and says so on the page of what does', async () => {
    await owner.press('Activate');
    await expect(main.getByText('One thing breaks this.')).toBeVisible();
    await accessible();
    await owner.press('Activate');
    await owner.isAt(name);
    await page.goto(`/keys/${old.id}`);
    await expect(main.getByText('This breaks a standard')).toBeVisible();
    await accessible();
    await page.goto(`/keys/${old.id}/edit`);
    await owner.field('Name').fill('Books');
    await owner.press('Save');
    await expect(main.getByText(`The standard “${name}” is in force.`).first()).toBeVisible();
    await accessible();
    await owner.field('Name').fill('pay-books');
    await owner.press('Save');
    await owner.isAt('pay-books');
    await page.goto(standard);
    await expect(main.getByText('Nothing breaks this.')).toBeVisible();
  });

  await test.step('it ends', async () => {
    await owner.press('End');
    await accessible();
    await owner.press('End');
    await owner.isAt(name);
    await admin.post('/keys', { ...key, name: 'Anything' });
  });
});
