// Coming in, going out, and getting back in.
import { Authenticator } from '../house/authenticator.ts';
import { Person } from '../house/person.ts';
import { expect, test } from '../house/test.ts';

test('signed out, nothing is left; signed in again, one is back where one was going', async ({ accessible, owner, page }) => {
  await owner.signOut();
  await expect(page.getByText('You are signed out.')).toBeVisible();
  await accessible();
  await page.goBack();
  await expect(page, 'no page of the session comes out of the history').toHaveURL(/\/sign-in/);

  await page.goto('/keys?state=active');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await owner.press('Use passkey');
  await page.waitForURL('**/keys?state=active');
});

test('whoever fails to show who they are stays outside and is told why', async ({ accessible, complaints, page, owner }) => {
  await owner.signOut();
  complaints.expect(/NotAllowedError/);
  await owner.device.setUserVerified(false);
  await owner.press('Use passkey');
  await expect(page.getByRole('alert')).toContainText('Nothing was signed');
  await accessible();
  await owner.device.setUserVerified(true);
  await owner.press('Use passkey');
  await owner.isAt('Home');
});

test('a person sees their sessions and signs out another one', async ({ accessible, browser, house, owner, ownersPasskey, page }) => {
  const elsewhere = await browser.newPage({ baseURL: house.url, userAgent: 'Borrowed laptop' });
  const again = new Person(elsewhere, await Authenticator.attach(elsewhere));
  await again.device.add(ownersPasskey);
  await again.signIn();

  await page.goto('/account');
  await accessible();
  const sessions = page.getByRole('table', { name: 'Sessions' });
  await expect(sessions.getByText('This one')).toHaveCount(1);
  await sessions.getByRole('button', { name: 'Sign out Borrowed laptop' }).click();
  await expect(page.getByText('The session is signed out.')).toBeVisible();
  await expect(sessions.getByText('Borrowed laptop')).toHaveCount(0);

  await elsewhere.goto('/keys');
  await again.isAt(/^Sign in to Acme$/);
  await elsewhere.context().close();
});

test('an invitation lets one person in, once, with the role it says', async ({ accessible, browser, house, owner, page }) => {
  await page.goto('/people/invite');
  await accessible();
  await owner.field('Name').fill('Grace Hopper');
  await page.getByRole('radio', { name: 'Auditor' }).check();
  await owner.press('Make invitation link');
  await owner.isAt('Invitation for Grace Hopper');
  await accessible();
  const link = await page.getByLabel('Link').inputValue();
  await page.goto('/people/invitations');
  await expect(page.getByRole('main')).toContainText('Grace Hopper');
  await expect(page.getByRole('main')).not.toContainText(link);
  await accessible();

  const other = await browser.newPage({ baseURL: house.url });
  const grace = new Person(other, await Authenticator.attach(other));
  await grace.join(link);
  await other.goto('/audit');
  await grace.isAt('Audit');
  await other.goto('/keys/new');
  await expect(other.getByRole('heading', { name: 'There is no environment that you may do this in' })).toBeVisible();
  await other.goto(link);
  await grace.isAt('This link does not work any more');
  await other.context().close();
});

test('a recovery code opens one door: to a new passkey', async ({ accessible, browser, house, owner, page }) => {
  await page.goto('/account/recovery-codes');
  await accessible();
  await owner.press('Make new codes');
  await owner.isAt('Recovery codes');
  await accessible();
  const codes = (await page.locator('#codes').innerText()).trim().split('\n');
  expect(codes).toHaveLength(10);
  const [code] = codes;

  const other = await browser.newPage({ baseURL: house.url });
  const ada = new Person(other, await Authenticator.attach(other));
  await other.goto('/sign-in');
  await other.getByRole('link', { name: 'Lost your passkey? Use a recovery code' }).click();
  await ada.field('Recovery code').fill('AAAAAA-AAAAAA-AAAAAA-AAAAAA');
  await ada.press('Use code');
  await expect(other.getByText('This code is not known or was used.').first()).toBeVisible();
  await ada.field('Recovery code').fill(code.toLowerCase());
  await ada.press('Use code');
  await ada.isAt('Create a new passkey');

  await other.goto('/keys');
  await ada.isAt('Create a new passkey');
  await page.goto('/keys');
  await owner.isAt(/^Sign in to/);

  await ada.field('Name of this passkey').fill('Spare key');
  await ada.press('Create passkey');
  await ada.isAt('Your account');
  await expect(other.getByRole('table', { name: 'Passkeys' })).toContainText('Spare key');
  await expect(other.getByText('9 of 10 codes are left.')).toBeVisible();
  await other.goto('/');
  await expect(other.getByText(/A recovery code let somebody into the account of Ada Lovelace/)).toBeVisible();
  await other.context().close();
});
