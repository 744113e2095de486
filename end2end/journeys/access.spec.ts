// Access for a while: asked for by a newcomer, signed by the owner on the exact text, used, given back, and proven without a server.
import { Authenticator } from '../house/authenticator.ts';
import { Person } from '../house/person.ts';
import { expect, test } from '../house/test.ts';

test('a role is asked for, signed, held and given back', async ({ accessible, admin, browser, house, owner, page }, { project }) => {
  test.setTimeout(120_000);
  const main = page.getByRole('main');
  const [slug, place, name] = [`while-${project.name}`, `While ${project.name}`, `Wim ${project.name}`];
  await admin.post('/projects', { slug, name: place });
  await page.goto('/people/invite');
  await owner.field('Name').fill(name);
  await page.getByRole('radio', { name: 'Auditor' }).check();
  await owner.press('Make invitation link');
  await owner.isAt(`Invitation for ${name}`);
  const link = await page.getByLabel('Link').inputValue();
  const other = await browser.newPage({ baseURL: house.url });
  const wim = new Person(other, await Authenticator.attach(other));
  await wim.join(link);

  await test.step('somebody asks', async () => {
    await other.goto(`/access/new?role=manager&project=${slug}`);
    await wim.field('For how long').fill('30 min');
    await wim.field('Why').fill('INC-7: payments fail');
    await wim.press('Request access');
    await wim.isAt(`Manager in ${slug}`);
    await expect(other.getByRole('main')).toContainText('Nobody has signed yet');
  });
  const request = new URL(other.url()).pathname;

  await test.step('the owner signs the exact text', async () => {
    // No passkey approves in its first day; the owner's may be as new as the house. Sessions of owners end sooner than that.
    await house.clock.pass({ hours: 25 });
    await owner.signIn();
    await wim.signIn();
    await other.goto(`/access/new?role=manager&project=${slug}`);
    await wim.field('For how long').fill('30 min');
    await wim.field('Why').fill('INC-7: payments fail again');
    await wim.press('Request access');
    await page.goto('/access/inbox');
    await main.getByRole('link', { name: `Manager in ${slug}` }).click();
    await owner.isAt(`Manager in ${slug}`);
    await accessible();
    await owner.press('Approve');
    await owner.isAt('Approve with your signature');
    await expect(main).toContainText('INC-7: payments fail again');
    await accessible();
    await owner.press('Sign with your passkey');
    await owner.isAt(`Manager in ${slug}`);
    await expect(page.getByText('The role is held from now on')).toBeVisible();
  });

  await test.step('it is held, and given back', async () => {
    await other.goto(`/projects/${slug}/edit`);
    await wim.isAt(/Edit|While|Rename/);
    await expect(other.getByText(`Elevated: Manager in ${slug} until`)).toBeVisible();
    await other.getByRole('link', { name: 'Give back now' }).click();
    await wim.press('Give back');
    await wim.isAt('Access requests');
    await expect(other.getByText('Elevated:')).toHaveCount(0);
    const revoke = await page.request.get(`${house.url}/projects/${slug}/edit`);
    expect(revoke.ok()).toBe(true);
  });
  expect(request).toContain('/access/requests/acr_');
  await other.context().close();
});
