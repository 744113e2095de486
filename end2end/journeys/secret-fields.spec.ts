// A value that is a JSON object: one of its fields is looked at, another one changed, and the rest is in no page.
import { expect, test } from '../house/test.ts';

test('one field is revealed and another replaced, while the others stay covered', async ({
  accessible,
  admin,
  owner,
  page,
}, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const slug = `fields-${project.name}`;
  const value = JSON.stringify({ user: 'app-4ce', password: 'pass-4ce', port: 54329 });
  await admin.post('/projects', { slug, name: `Fields ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  await admin.put(`/projects/${slug}/environments/live/secrets/database/config`, { value, kind: 'json' });
  await page.goto(`/secrets?project=${slug}&environment=live&folder=database`);
  await main.getByRole('link', { name: 'config' }).click();
  await owner.isAt('config');
  const secret = page.url();
  expect(await page.content(), 'no page names a field that did not ask').not.toContain('password');

  await test.step('the names are listed, and one field is revealed', async () => {
    await owner.press('Fields');
    await owner.isAt('Fields of version 1');
    for (const part of ['app-4ce', 'pass-4ce', '54329']) expect(await page.content()).not.toContain(part);
    await accessible();
    await owner.press('Reveal password');
    await owner.isAt('Fields of version 1');
    await expect(page.locator('#secret')).toBeHidden();
    await main.getByText('Show', { exact: true }).click();
    await expect(page.locator('#secret')).toHaveText('pass-4ce');
    expect(await page.content(), 'only the one that was asked for').not.toContain('app-4ce');
    await accessible();
    await main.getByText('Hide', { exact: true }).click();
    await expect(page.locator('#secret')).toBeHidden();
  });

  await test.step('a field is replaced, one made, one added, and what is wrong is said', async () => {
    await owner.press('Edit fields');
    await owner.press('List the fields');
    await owner.isAt('Edit fields');
    const row = (name: string) => main.getByRole('group', { name, exact: true });
    await expect(owner.field('New value of port')).toBeHidden();
    await row('What becomes of port').getByRole('radio', { name: 'Replace it' }).check();
    await owner.field('New value of port').fill('not JSON');
    await row('What becomes of password').getByRole('radio', { name: 'Generate one' }).check();
    await owner.field('Name of new field 1').fill('host');
    await owner.field('Value of new field 1').fill('db-4ce');
    await accessible();
    await owner.press('Save');
    await expect(main.getByRole('alert')).toContainText('write JSON');
    expect(await page.content(), 'what was typed is in no page').not.toContain('db-4ce');
    await expect(owner.field('Name of new field 1')).toHaveValue('host');
    await accessible();
    await owner.field('New value of port').fill('54330');
    await owner.field('Value of new field 1').fill('db-4ce');
    await owner.press('Save');
    await owner.isAt('config');
    await expect(main.getByRole('row', { name: /Version 2/ })).toContainText('current');
  });

  await test.step('the new version has what was kept, what was written and what was made', async () => {
    await page.goto(secret);
    await owner.press('Reveal');
    await main.getByText('Show', { exact: true }).click();
    const now = JSON.parse((await page.locator('#secret').textContent())!);
    expect(now).toEqual({ user: 'app-4ce', password: expect.stringMatching(/^[0-9A-Za-z]{32}$/), port: 54330, host: 'db-4ce' });
    await page.goto(secret);
    await expect(main.getByRole('region', { name: 'Where it is delivered' })).toContainText('console');
    await page.goto(`${secret}?tab=audit`);
    await main.getByRole('row').filter({ hasText: 'secret.put' }).getByRole('link').first().click();
    await expect(main.getByText('password, port, host')).toBeVisible();
  });
});
