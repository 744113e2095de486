// A rule from a usual case, edited as a form and as text, tested, looked at by a second person, activated, explained from a
// refusal, changed and rolled back.
import { existsSync } from 'node:fs';

import { Authenticator } from '../house/authenticator.ts';
import { Person } from '../house/person.ts';
import { expect, test } from '../house/test.ts';

test('a policy is made from a usual case, refuses what it says, and is rolled back', async ({
  accessible,
  admin,
  browser,
  house,
  owner,
  page,
}, { project }) => {
  test.setTimeout(180_000);
  const main = page.getByRole('main');
  const slug = `ruled-${project.name}`;
  const name = `Office only ${project.name}`;
  await admin.post('/projects', { slug, name: `Ruled ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  await admin.put(`/projects/${slug}/environments/live/secrets/database/password`, { value: 'hunter2-93f' });
  const { items: [secret] } = await admin.get<{ items: { id: string }[] }>(`/secrets?project=${slug}`);
  const place = `environment Ruled ${project.name} / Live`;

  await test.step('the list leads to the usual cases', async () => {
    await page.goto('/policies');
    await accessible();
    await page.goto('/policies/new');
    await expect(main.getByRole('heading', { name: 'Start from a usual case' })).toBeVisible();
    await main.getByRole('link', { name: 'Start with this: People act from the office network only' }).click();
    await expect(main.getByText('the request comes from').first()).toBeVisible();
    await accessible();
  });

  await test.step('conditions are added, nested and removed, and the text follows', async () => {
    await owner.field('Name').fill(name);
    await owner.field('To which things').selectOption({ label: place });
    await owner.field('the request comes from').fill('everywhere');
    await owner.press('Write the text from the form');
    await expect(main.getByText('Write an address or a range: 10.0.0.0/8.').first()).toBeVisible();
    await accessible();
    await owner.field('the request comes from').fill('192.0.2.0/24');
    await owner.field('New condition in part 1').selectOption({ label: 'they signed in with' });
    await main.getByRole('button', { name: 'Add condition to part 1' }).click();
    await owner.field('they signed in with').selectOption({ label: 'a passkey' });
    await main.getByRole('button', { name: 'Nest part 1.2 in a group' }).click();
    await expect(owner.field('they signed in with')).toHaveValue('passkey');
    await main.getByRole('button', { name: 'Remove part 1.2', exact: true }).click();
    await expect(owner.field('they signed in with')).toHaveCount(0);
    await owner.press('Write the text from the form');
    await expect(owner.field('The same as text')).toHaveValue(/context\.address\.isInRange\(ip\("192\.0\.2\.0\/24"\)\)/);
    await accessible();
  });

  await test.step('what is wrong with the text is told by line and column', async () => {
    const text = await owner.field('The same as text').inputValue();
    await owner.field('The same as text').fill(`${text.trim()} x`);
    await owner.press('Fill the form from the text');
    await expect(main.getByText('The form cannot show this policy')).toBeVisible();
    await expect(main.getByText(/Line \d+, column \d+:/).first()).toBeVisible();
    await accessible();
    await owner.field('The same as text').fill(text);
    await owner.press('Fill the form from the text');
    await expect(owner.field('the request comes from')).toHaveValue('192.0.2.0/24');
    await owner.field('About this version').fill('Asked for by the audit.');
    await owner.press('Save draft');
    await owner.isAt(name);
    await accessible();
  });
  const policy = page.url();

  const other = await browser.newPage({ baseURL: house.url });
  const second = new Person(other, await Authenticator.attach(other));

  await test.step('a second person looks at it', async () => {
    await page.goto('/people/invite');
    await owner.field('Name').fill(`Second ${project.name}`);
    await page.getByRole('radio', { name: 'Admin' }).check();
    await owner.press('Make invitation link');
    await second.join(await page.getByLabel('Link').inputValue());
    await page.goto(policy);
    await owner.press('Submit for review');
    await owner.press('Submit for review');
    await owner.isAt(name);
    await other.goto(policy);
    await second.press('Approve');
    await second.press('Approve');
    await second.isAt(name);
    await expect(other.getByRole('main').getByText('The version is approved.')).toBeVisible();
  });

  await test.step('it decides once it is activated', async () => {
    await page.goto(`/secrets/${secret.id}`);
    await owner.press('Reveal');
    await owner.isAt('Value revealed');
    await page.goto(policy);
    await owner.press('Activate');
    await expect(main.getByText('It decides within a second, on every node.')).toBeVisible();
    await accessible();
    await owner.press('Activate');
    await owner.isAt(name);
    await page.goto(`/secrets/${secret.id}`);
    await expect(main.getByRole('link', { name: 'Reveal', exact: true })).toHaveCount(0);
    await page.goto(`/secrets/${secret.id}/versions/1/reveal`);
    await owner.press('Reveal');
    await owner.isAt('You can see this, but not do that');
    await accessible();
  });

  await test.step('the refusal is explained', async () => {
    await owner.press('See why it was refused.');
    await owner.isAt('Refusal');
    await expect(main).toContainText(name);
    await expect(main).toContainText('secret.read');
    await accessible();
  });

  await test.step('another version lets it be again', async () => {
    await page.goto(policy);
    await owner.press('Edit');
    await main.getByRole('button', { name: 'Remove part 1.1', exact: true }).click();
    await owner.field('New condition in part 1').selectOption({ label: 'they signed in with' });
    await main.getByRole('button', { name: 'Add condition to part 1' }).click();
    await owner.field('they signed in with').selectOption({ label: 'a passkey' });
    await owner.press('Save draft');
    await owner.isAt(name);
    await main.getByRole('link', { name: 'Activate: Version 2' }).click();
    await owner.press('Activate');
    await owner.isAt(name);
    await page.goto(`/secrets/${secret.id}`);
    await owner.press('Reveal');
    await owner.isAt('Value revealed');
  });

  await test.step('what changed is shown, and the older version decides again', async () => {
    await page.goto(policy);
    await owner.press('Compare');
    await owner.isAt('Version 1 and version 2');
    await expect(main.locator('.diff-removed').first()).toContainText('isInRange');
    await accessible();
    await page.goto(policy);
    await main.getByRole('link', { name: 'Roll back: Version 1' }).click();
    await owner.press('Roll back');
    await owner.isAt(name);
    await expect(main.getByText('It decides.', { exact: true })).toBeVisible();
    await owner.press('Disable');
    await owner.press('Disable');
    await owner.isAt(name);
    await accessible();
  });
  await other.context().close();
});

test('a solver shows what a version would change, with a request that shows it', async ({
  accessible,
  admin,
  owner,
  page,
}, { project }) => {
  test.setTimeout(180_000);
  const main = page.getByRole('main');
  const name = `Weekends ${project.name}`;
  const text = (effect: string): string =>
    `${effect} (principal, action == Action::"secret.read", resource) when { context.weekday > 5 };`;
  const { id } = await admin.post<{ id: string }>('/policies', { name, text: text('permit') });
  const prove = async (): Promise<void> => {
    await owner.press('Prove');
    await expect(main.getByText('A solver looks for a request')).toBeVisible();
    await accessible();
    await owner.press('Prove');
    await owner.isAt(name);
  };
  const ends = async (verdict: string): Promise<void> => {
    await expect(async () => {
      await page.goto(`/policies/${id}`);
      await expect(main.getByText(verdict, { exact: true })).toBeVisible({ timeout: 1_000 });
    }).toPass({ timeout: 90_000 });
    await accessible();
  };
  await page.goto(`/policies/${id}`);
  await expect(main.getByText('The proof was not run')).toBeVisible();
  await prove();
  if (!['/usr/local/bin', '/usr/bin', '/bin'].some((folder) => existsSync(`${folder}/cvc5`))) {
    await expect(main.getByText('There is no solver on this server.')).toBeVisible();
    return;
  }
  await ends('It grants something new');
  await expect(main.getByRole('heading', { name: 'A request that shows it' })).toBeVisible();
  await admin.post(`/policies/${id}/versions`, { text: text('forbid') });
  await page.goto(`/policies/${id}`);
  await prove();
  await ends('It only takes away');
  await page.goto(`/policies/${id}/versions/2/activate`);
  await expect(main.getByText('It only takes away', { exact: true })).toBeVisible();
});
