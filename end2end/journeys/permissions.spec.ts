// Who can, what if, and why not: an owner sees who may do what and by what; a viewer is refused, and the owner opens why.
import { Authenticator } from '../house/authenticator.ts';
import { Person } from '../house/person.ts';
import { expect, test } from '../house/test.ts';

test('an owner sees who can issue keys, asks what if, and opens why a viewer was refused', async ({
  accessible,
  admin,
  browser,
  house,
  owner,
  page,
}, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const [slug, place, name] = [`who-${project.name}`, `Who ${project.name}`, `Vic ${project.name}`];
  await admin.post('/projects', { slug, name: place });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });

  const other = await browser.newPage({ baseURL: house.url });
  const vic = new Person(other, await Authenticator.attach(other));
  await page.goto('/people/invite');
  await owner.field('Name').fill(name);
  await page.getByRole('radio', { name: 'Viewer' }).check();
  await owner.field('Project').selectOption({ label: place });
  await owner.press('Make invitation link');
  await owner.isAt(`Invitation for ${name}`);
  await vic.join(await page.getByLabel('Link').inputValue());

  await test.step('who can issue keys here, and by what', async () => {
    await page.goto(`/projects/${slug}/environments/live`);
    await owner.press('Who can …?');
    await owner.isAt('Who can: key.issue');
    const row = main.getByRole('row').filter({ hasText: 'Ada Lovelace' });
    await expect(row).toContainText('Owner of the organization');
    await expect(main.getByRole('row').filter({ hasText: name })).toHaveCount(0);
    await expect(main.getByRole('img', { name: 'As a picture' })).toBeVisible();
    await accessible();
  });

  const simulator = await main.getByRole('link', { name: 'What if?', exact: true }).first().getAttribute('href');

  await test.step('what the viewer can do, and what if they issued a key', async () => {
    await page.goto(`/people?q=${encodeURIComponent(name)}`);
    await main.getByRole('link', { name, exact: true }).click();
    const person = page.url().split('/').pop();
    await owner.press('What can they do?');
    await owner.isAt(`What ${name} can do`);
    await expect(main.getByRole('row').filter({ hasText: 'key.view' }).filter({ hasText: place })).toContainText('Viewer of the project');
    await accessible();
    await page.goto(simulator ?? '');
    await owner.field('Who').selectOption(person ?? '');
    await expect(owner.field('Action')).toHaveValue('key.issue');
    await owner.press('Ask');
    await expect(main.getByText('No, it is not allowed')).toBeVisible();
    await expect(main.getByText(`Issuer in ${place}`)).toBeVisible();
    await accessible();
  });

  await test.step('the answer is saved as a test', async () => {
    await owner.press('Save as test');
    await owner.isAt('Save as test');
    await owner.field('Name').fill(`${name} issues nothing`);
    await owner.press('Save as test');
    await owner.isAt('Tests');
    await expect(main.getByRole('row').filter({ hasText: `${name} issues nothing` })).toContainText('Passes');
    await accessible();
  });

  await test.step('the viewer is refused, and learns an id and no rule', async () => {
    const refused = await other.goto('/people/invite');
    expect(refused?.status()).toBe(403);
    await expect(other.getByRole('main')).toContainText('Give this decision id');
    await expect(other.getByRole('main')).not.toContainText('owner-may-everything');
  });

  await test.step('the owner opens it', async () => {
    const id = await other.getByRole('main').locator('.id code').first().getAttribute('title');
    await page.goto('/decisions');
    await owner.field('Decision id').fill(id ?? '');
    await owner.press('Open');
    await owner.isAt('Refusal');
    await expect(main).toContainText(name);
    await expect(main).toContainText('user.invite');
    await expect(main).toContainText('Admin in the organization');
    await accessible();
    const shut = await other.goto(`/decisions/${id}`);
    expect(shut?.status()).toBe(404);
  });
  await other.context().close();
});
