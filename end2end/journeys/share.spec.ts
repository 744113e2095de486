// A value is given to somebody outside: by a link that a preview cannot use up, with a passphrase, once.
import { expect, test } from '../house/test.ts';

test('a value is shared by a link, opened once by its passphrase, and another link is withdrawn', async ({
  accessible,
  admin,
  browser,
  house,
  owner,
  page,
}, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const slug = `shared-${project.name}`;
  const value = 'shared-value-7c1';
  await admin.post('/projects', { slug, name: `Shared ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  await page.goto(`/secrets?project=${slug}&environment=live`);
  await owner.press('Create secret');
  await owner.field('Path').fill('partner/token');
  await owner.field('Value').fill(value);
  await owner.press('Create secret');
  await owner.isAt('token');
  const secret = page.url();

  const share = async () => {
    await page.goto(secret);
    await owner.press('Share by link');
    await page.getByRole('radio', { name: 'Whoever has a passphrase' }).check();
    await accessible();
    await owner.press('Share by link');
    await owner.isAt('Link made');
    await accessible();
    const link = await owner.field('Link').inputValue();
    return { link, passphrase: await owner.field('Passphrase').inputValue() };
  };

  const { link, passphrase } = await test.step('made, and shown this once', share);
  expect(await page.content(), 'no page holds the value').not.toContain(value);
  await page.goto(secret);
  await expect(main.getByRole('row', { name: /whoever has the passphrase/ })).toBeVisible();
  expect(await page.content()).not.toContain(passphrase);

  await test.step('opened by somebody without an account', async () => {
    const outside = await browser.newContext();
    const theirs = await outside.newPage();
    const preview = await outside.request.get(link);
    expect(preview.headers()['cache-control'], 'nobody keeps it').toContain('no-store');
    expect(await preview.text(), 'a preview reads nothing').not.toContain(value);
    await theirs.goto(link);
    await expect(theirs.getByRole('heading', { name: 'A value for you' })).toBeVisible();
    await theirs.getByLabel('Passphrase').fill('0000-0000-0000-0000');
    await theirs.getByRole('button', { name: 'Show the value' }).click();
    await expect(theirs.getByRole('main')).toContainText('After 4 more wrong ones it is gone');
    await theirs.getByLabel('Passphrase').fill(passphrase.toLowerCase());
    await theirs.getByRole('button', { name: 'Show the value' }).click();
    await expect(theirs.getByRole('heading', { name: 'The value', exact: true })).toBeVisible();
    await theirs.getByText('Show', { exact: true }).click();
    await expect(theirs.locator('#secret')).toHaveText(value);
    await theirs.goto(link);
    await expect(theirs.getByRole('heading', { name: 'This link opens nothing' })).toBeVisible();
    await outside.close();
  });

  await test.step('another is withdrawn before anybody opens it', async () => {
    const other = await share();
    await page.goto(secret);
    await main.getByRole('link', { name: 'Withdraw the link to version 1' }).click();
    await accessible();
    await owner.press('Withdraw');
    await owner.isAt('token');
    await expect(main.getByRole('heading', { name: 'Open links' })).toBeHidden();
    await page.goto(other.link.replace(/^https?:\/\/[^/]+/, house.url));
    await owner.isAt('This link opens nothing');
    await accessible();
  });

  await test.step('all of it is in the record', async () => {
    await page.goto(`${secret}?tab=audit`);
    for (const action of ['secret.share', 'secret.open-share', 'secret.withdraw-share']) {
      await expect(main.getByRole('row').filter({ hasText: action }).first()).toBeVisible();
    }
  });
});
