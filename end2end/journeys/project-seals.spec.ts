// A seal of a project's own: offered by the operator, chosen by who may, given a new key, and the old one destroyed.
import { Authenticator } from '../house/authenticator.ts';
import { Machine } from '../house/machine.ts';
import { Person } from '../house/person.ts';
import { expect, test } from '../house/test.ts';

test('a project gets a seal of its own, which gets a new key and loses the old one', async ({
  accessible,
  browser,
  page,
  sealing: house,
  somebody: owner,
}) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const key = `${house.url}/projects/pay/key`;
  await owner.setUp(house.setupLink, 'Acme', 'Ada Lovelace');
  const admin = new Machine(house.url, await house.operator('token', '--role', 'admin'));
  await admin.post('/projects', { slug: 'pay', name: 'Payments' });

  await test.step('none is offered yet', async () => {
    await page.goto(`${key}/seal`);
    await expect(main.getByText('There is no seal to choose')).toBeVisible();
    await accessible();
  });

  await test.step('offered, and chosen', async () => {
    await house.shell('seal', 'offer', 'software:acme');
    await page.reload();
    await page.getByRole('radio', { name: 'software:acme' }).check();
    await accessible();
    await owner.press('Use this seal');
    await page.waitForURL(key);
    await expect(main.locator('#seal')).toContainText('software:acme');
    await expect(main.locator('#seal')).toContainText('Answers');
    await accessible();
  });

  await test.step('whoever may not choose is told so, and led on', async () => {
    const { url } = await admin.post<{ url: string }>('/users/invitations', { name: 'Grace Hopper', role: 'manager', project: 'pay' });
    const other = await browser.newPage({ baseURL: house.url });
    const grace = new Person(other, await Authenticator.attach(other));
    await grace.join(url);
    await other.goto('/projects/pay/key/seal');
    await other.reload();
    await grace.isAt('Seal of this project');
    await expect(other.getByRole('heading', { name: 'You cannot choose this seal' })).toBeVisible();
    await other.getByRole('main').getByRole('link', { name: 'Project key', exact: true }).last().click();
    await other.waitForURL('**/projects/pay/key');
    await expect(other.locator('#seal')).toContainText('software:acme');
    await other.context().close();
  });

  const keys = main.locator('#offered-keys');

  await test.step('a new key', async () => {
    await page.goto(`${house.url}/system/keys`);
    await keys.getByRole('link', { name: 'Rotate' }).click();
    await owner.isAt("Rotate a seal's key");
    await accessible();
    await owner.press("Rotate a seal's key");
    await owner.isAt('Encryption keys');
    await expect(page.getByText('Key 2 wraps the keys of these projects now.')).toBeVisible();
    await accessible();
  });

  await test.step('the end of the old one', async () => {
    await keys.getByRole('link', { name: 'Destroy' }).click();
    await owner.isAt('Destroy an HSM key');
    await accessible();
    await owner.press('Destroy');
    await expect(main.getByText(/as it is\./).first()).toBeVisible();
    await owner.field("The seal's name").fill('software:acme');
    await owner.press('Destroy');
    await owner.isAt('Encryption keys');
    await expect(page.getByText('Key 1 is destroyed.')).toBeVisible();
    await expect(keys.getByRole('link', { name: 'Destroy' })).toHaveCount(0);
  });
});
