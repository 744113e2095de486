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

test('an old value that turned up is stopped alone, and the key goes on', async ({ accessible, admin, owner, page }) => {
  await admin.post('/projects', { slug: 'leaky-once', name: 'Leaky once' });
  await admin.post('/projects/leaky-once/environments', { slug: 'live', name: 'Live', label: 'live' });
  const old = await owner.issueKey('nightly', 'Leaky once / Live');
  const { items: [it] } = await admin.get<{ items: { id: string }[] }>('/keys?project=leaky-once');
  const { key } = await admin.post<{ key: string }>(`/keys/${it.id}/rotate`, { overlap_seconds: 86_400 });

  await page.goto('/leaks');
  await owner.field('Value').fill(old);
  await owner.press('Look it up');
  await expect(page.getByText('This value works.')).toBeVisible();
  await expect(page.getByRole('main').getByRole('link', { name: 'Rotate key' })).toHaveCount(0);
  await accessible();
  await owner.press('Stop the old value now');
  await expect(page.getByRole('radio', { name: 'Compromised' })).toBeChecked();
  await accessible();
  await owner.press('Stop the old value now');
  await expect(page.getByRole('heading', { name: 'No old value works' })).toBeVisible();
  expect(await admin.verify(old)).toMatchObject({ valid: false, code: 'revoked' });
  expect(await admin.verify(key)).toMatchObject({ valid: true });
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
