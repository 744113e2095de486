// "Found a key?"
import { expect, test } from '../house/test.ts';

test('a value that turned up somewhere leads to its key, and to what to do', async ({ accessible, admin, owner, page }) => {
  await admin.post('/projects', { slug: 'leaky', name: 'Leaky' });
  await admin.post('/projects/leaky/environments', { slug: 'live', name: 'Live', label: 'live' });
  const value = await owner.issueKey('webhook', 'Leaky / Live');

  await page.goto('/leaks');
  await accessible();
  await owner.field('Value').fill(`curl -H 'Authorization: Bearer ${value}' https://api.example.com`);
  await owner.press('Look it up');
  await expect(page.getByText('This value works.')).toBeVisible();
  await expect(page.getByRole('main').getByRole('link', { name: 'webhook' })).toBeVisible();
  expect(await page.content(), 'what was found is not shown again').not.toContain(value);
  await accessible();

  await owner.press('Revoke key');
  await expect(page.getByRole('radio', { name: 'Compromised' })).toBeChecked();
  await owner.press('Revoke key');
  await owner.isAt('webhook');

  await page.goto('/leaks');
  await owner.field('Value').fill(`kwk_live_000000000000_${'0'.repeat(49)}`);
  await owner.press('Look it up');
  await expect(page.getByText('This is no value that you may know of.')).toBeVisible();
  await accessible();
});

test('a value in the search is cut before it stays in an address', async ({ admin, owner, page }) => {
  await admin.post('/projects', { slug: 'cut', name: 'Cut' });
  await admin.post('/projects/cut/environments', { slug: 'live', name: 'Live', label: 'live' });
  const value = await owner.issueKey('cut', 'Cut / Live');
  await page.goto('/keys');
  await page.getByRole('main').getByRole('searchbox').fill(value);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main').getByRole('link', { name: 'cut', exact: true })).toBeVisible();
  expect(page.url()).not.toContain(value.slice(-49));
});
