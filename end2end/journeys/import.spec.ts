// Moving in and out with a file: chosen, looked at, imported, imported again, exported.
import { readFile } from 'node:fs/promises';
import { expect, test } from '../house/test.ts';

const FILE = [
  '# the shop',
  'DATABASE_URL=postgres://app:journey-7d1@db/shop',
  "API_KEY='journey-7d2 # no comment'",
  'GREETING="two\\nlines"',
  '',
].join('\n');

test('a .env file becomes secrets after a look, and comes out again', async ({ accessible, admin, owner, page }, { project }) => {
  test.setTimeout(180_000);
  const main = page.getByRole('main');
  const slug = `moved-${project.name}`;
  await admin.post('/projects', { slug, name: `Moved ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  const folder = `/secrets?project=${slug}&environment=live&folder=shop`;

  const choose = async (name: string, text: string) => {
    await owner.field('File').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
    await owner.press('Preview');
  };

  await test.step('a file that is not what it seems is told by line', async () => {
    await page.goto(`/secrets?project=${slug}&environment=live`);
    await owner.press('Import');
    await accessible();
    await owner.field('Into the folder').fill('shop');
    await choose('.env', 'A=1\njourney-7d1\nB="x');
    await owner.isAt('This file cannot be imported');
    await expect(main.getByRole('row', { name: /Write NAME=value/ })).toContainText('2');
    await expect(main.getByRole('row', { name: /never closed/ })).toContainText('3');
    expect(await page.content()).not.toContain('journey-7d1');
    await accessible();
  });

  await test.step('the right one is looked at, then imported', async () => {
    await owner.press('Choose another file');
    await expect(owner.field('Into the folder')).toHaveValue('shop');
    await choose('.env', FILE);
    await owner.isAt('Preview of an import');
    await expect(main.getByRole('row', { name: /shop\/API_KEY/ })).toContainText('new');
    expect(await page.content()).not.toContain('journey-7d');
    await accessible();
    await owner.press('Import 3 secrets');
    await owner.isAt('Import done');
    expect(await page.content()).not.toContain('journey-7d');
    await accessible();
    await main.getByRole('link', { name: 'shop/API_KEY' }).click();
    await owner.isAt('API_KEY');
    await owner.press('Reveal');
    await expect(page.locator('#secret')).toHaveText('journey-7d2 # no comment');
  });

  await test.step('a second time, only what is other changes', async () => {
    await page.goto(folder);
    await owner.press('Import');
    await choose('shop.env', FILE.replace('7d1', '7d9'));
    await owner.isAt('Preview of an import');
    await expect(main.getByRole('row', { name: /shop\/DATABASE_URL/ })).toContainText('1, then 2');
    await main.getByRole('link', { name: /^Unchanged/ }).click();
    await expect(main.getByRole('row', { name: /shop\/API_KEY/ })).toBeVisible();
    await expect(main.getByRole('row', { name: /shop\/DATABASE_URL/ })).toHaveCount(0);
    await owner.press('Import 1 secret');
    await owner.isAt('Import done');
  });

  await test.step('pasted, the whole of it is there already', async () => {
    await page.goto(folder);
    await owner.press('Import');
    await owner.field('Or paste it').fill(FILE.replace('7d1', '7d9'));
    await owner.press('Preview');
    await expect(main.getByText('What is pasted has no name: choose its format.').first()).toBeVisible();
    await accessible();
    await owner.field('Or paste it').fill(FILE.replace('7d1', '7d9'));
    await main.getByLabel('Format', { exact: true }).selectOption('dotenv');
    await owner.press('Preview');
    await expect(main.getByText('Everything is there already, as the file says')).toBeVisible();
    await accessible();
  });

  await test.step('it comes out as a file, with each reading in the record', async () => {
    await page.goto(folder);
    await owner.press('Export');
    await accessible();
    await owner.field('Reason').fill('the shop moves');
    const coming = page.waitForEvent('download');
    await owner.press('Export 3 values');
    const file = await coming;
    expect(file.suggestedFilename()).toBe(`${slug}-live-shop.env`);
    const text = await readFile((await file.path())!, 'utf8');
    expect(text).toBe("API_KEY='journey-7d2 # no comment'\nDATABASE_URL='postgres://app:journey-7d9@db/shop'\nGREETING='two\nlines'\n");
    await page.goto('/audit?action=secret.export');
    await expect(main.getByRole('row').filter({ hasText: 'secret.export' }).first()).toBeVisible();
  });
});
