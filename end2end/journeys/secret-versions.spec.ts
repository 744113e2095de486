// What versions go through: good for some time, deleted and had back, and a folder returned to what it was.
import { expect, test } from '../house/test.ts';

test('a version expires, another is deleted and restored, and a folder goes back to what it was', async ({
  accessible,
  admin,
  house,
  owner,
  page,
}, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const slug = `versions-${project.name}`;
  await admin.post('/projects', { slug, name: `Versions ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  const place = `/secrets?project=${slug}&environment=live&folder=database`;
  const instant = (at: number) => new Date(at).toISOString().slice(0, 19);

  await test.step('made to expire in three days', async () => {
    await page.goto(`/secrets/new?project=${slug}&environment=live`);
    await owner.field('Path').fill('database/password');
    await owner.field('Value').fill('one-71c');
    await owner.field('Expires at').fill(instant(house.clock.now() + 73 * 3_600_000).slice(0, 16));
    await owner.press('Create secret');
    await owner.isAt('password');
    await expect(main.getByText('expires in 3 days').first()).toBeVisible();
    await accessible();
  });
  const secret = page.url();
  await page.goto(`/secrets?project=${slug}&state=expiring`);
  await expect(main.getByRole('row', { name: /database\/password/ })).toContainText('expires in 3 days');
  await accessible();
  const then = instant(house.clock.now() + 1_000);
  await page.waitForTimeout(2_000);

  await test.step('a new version, and the old one deleted and restored', async () => {
    await page.goto(`${secret}/versions/new`);
    await owner.field('Value').fill('two-71c');
    await owner.press('New version');
    await owner.isAt('password');
    await page.goto(`${secret}/versions/1`);
    await main.getByRole('link', { name: 'Delete' }).click();
    await expect(main.getByRole('heading', { name: 'Delete version 1 of database/password' })).toBeVisible();
    await accessible();
    await owner.press('Delete');
    await owner.isAt('Version 1');
    await expect(main.getByText('This version is deleted.')).toBeVisible();
    await accessible();
    await main.getByRole('link', { name: 'Restore' }).click();
    await accessible();
    await owner.press('Restore');
    await owner.isAt('Version 1');
    await expect(main.getByText('This version is deleted.')).toBeHidden();
  });

  await test.step('the folder as it was, and back to that', async () => {
    await page.goto(`/secrets/new?project=${slug}&environment=live`);
    await owner.field('Path').fill('database/later');
    await owner.field('Value').fill('three-71c');
    await owner.press('Create secret');
    await owner.isAt('later');
    await page.goto(place);
    await main.getByRole('link', { name: 'As it was' }).click();
    await owner.isAt('As it was');
    await accessible();
    await page.goto(`/secrets/as-of?project=${slug}&environment=live&folder=database&at=${then}`);
    await expect(main.getByRole('row', { name: /password/ })).toContainText('version 1 is current again');
    await expect(main.getByRole('row', { name: /later/ })).toContainText('was not there');
    await accessible();
    await main.getByRole('checkbox', { name: /Delete the 1 secret/ }).check();
    await owner.press('Return to this');
    await expect(main.getByRole('row', { name: /password/ })).toContainText('Version 1');
    await expect(main.getByRole('row', { name: /later/ })).toHaveCount(0);
    await accessible();
  });
});
