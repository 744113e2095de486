// When somebody leaves: what they own is given to who stays, and what they have seen stops opening anything.
import { Authenticator } from '../house/authenticator.ts';
import { Person } from '../house/person.ts';
import { expect, test } from '../house/test.ts';

test('whoever leaves hands over their keys and secrets, and the values that they saw are rotated', async ({
  accessible,
  admin,
  browser,
  house,
  owner,
  page,
}, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const [slug, place, name] = [`leave-${project.name}`, `Leave ${project.name}`, `Leo ${project.name}`];
  await admin.post('/projects', { slug, name: place });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });

  const other = await browser.newPage({ baseURL: house.url });
  const leo = new Person(other, await Authenticator.attach(other));
  await test.step('somebody comes, and issues a key', async () => {
    await page.goto('/people/invite');
    await owner.field('Name').fill(name);
    await page.getByRole('radio', { name: 'Issuer' }).check();
    await owner.field('Project').selectOption({ label: place });
    await owner.press('Make invitation link');
    await owner.isAt(`Invitation for ${name}`);
    await leo.join(await page.getByLabel('Link').inputValue());
    await leo.issueKey('till', `${place} / Live`);
    const { items } = await admin.get<{ items: { id: string }[] }>(`/users?q=${encodeURIComponent(name)}`);
    await admin.put(`/projects/${slug}/environments/live/secrets/till/password`, { value: 'x', owner: items[0].id });
  });

  await test.step('they leave: their key and their secret are given away', async () => {
    await page.goto(`/people?q=${encodeURIComponent(name)}`);
    await main.getByRole('link', { name, exact: true }).click();
    await owner.press('Deactivate');
    await owner.isAt('Deactivate');
    await owner.press('Deactivate');
    await owner.isAt(`What ${name} leaves behind`);
    await accessible();
    await owner.field('Give to').selectOption({ label: 'Ada Lovelace' });
    await owner.press('Give');
    await expect(main).toContainText('1 key has another owner now. 1 secret has another owner now.');
    await expect(main.getByRole('heading', { name: 'They own nothing' })).toBeVisible();
    await accessible();
  });
  const here = page.url();

  await test.step('what they saw is rotated, and then stopped', async () => {
    const seen = page.getByRole('table', { name: 'Values of keys they have seen' });
    await seen.getByRole('link', { name: 'Rotate', exact: true }).click();
    await owner.press('Rotate key');
    await owner.isAt('Key rotated');
    await page.goto(here);
    await seen.getByRole('link', { name: 'Stop old value', exact: true }).click();
    await owner.press('Stop the old value now');
    await owner.press('Stop the old value now');
    await page.goto(here);
    await expect(main.getByRole('heading', { name: 'No value that they have seen still works' })).toBeVisible();
  });

  await other.goto('/keys');
  await leo.isAt(/^Sign in to/);
  await other.context().close();
});
