// Every change wants a passkey that was shown within five minutes; what was filled in meanwhile is not lost.
import { expect, test } from '../house/test.ts';

test('a post that comes too late waits for the passkey, then does what it was to do, once', async ({ accessible, house, owner, page }) => {
  await page.goto('/projects/new');
  await owner.field('Name').fill('Fulfilment');
  await owner.field('Slug').fill('fulfil');
  await house.clock.pass({ minutes: 6 });
  await owner.device.setUserVerified(false);
  await owner.press('Create project');
  await owner.isAskedInVain();
  await expect(page.getByText('What you filled in is kept for ten minutes')).toBeVisible();
  await accessible();

  await owner.device.setUserVerified(true);
  await owner.press('Use passkey');
  await owner.isAt('Fulfilment');
  await expect(page.getByText('Created project Fulfilment.')).toBeVisible();
});

test('with the passkey at hand, it takes one touch and no click', async ({ house, owner, page }) => {
  await page.goto('/projects/new');
  await owner.field('Name').fill('Search');
  await owner.field('Slug').fill('search');
  await house.clock.pass({ minutes: 6 });
  await owner.press('Create project');
  await owner.isAt('Search');
});

test('suspending a key waits for no passkey', async ({ admin, house, owner, page }) => {
  await admin.post('/projects', { slug: 'urgent', name: 'Urgent' });
  await admin.post('/projects/urgent/environments', { slug: 'live', name: 'Live', label: 'live' });
  await owner.issueKey('leaked', 'Urgent / Live');
  await owner.press('I have stored it');
  await house.clock.pass({ minutes: 6 });
  await owner.press('Suspend key');
  await owner.press('Suspend key');
  await owner.isAt('leaked');
  await expect(page.getByText('Suspended leaked.')).toBeVisible();
});

test('a post that waited for too long is not sent', async ({ complaints, house, owner, page }) => {
  await page.goto('/projects/new');
  await owner.field('Name').fill('Forgotten');
  await owner.field('Slug').fill('forgotten');
  await house.clock.pass({ minutes: 6 });
  await owner.device.setUserVerified(false);
  await owner.press('Create project');
  await owner.isAskedInVain();
  await house.clock.pass({ minutes: 11 });
  await owner.device.setUserVerified(true);
  // The ceremony that began with the page may be as late as the post.
  complaints.expect(/410|step-up\/finish/);
  await owner.press('Use passkey');
  await owner.isAt('This form is not waiting any more');
  await page.goto('/projects');
  await expect(page.getByText('Forgotten')).toHaveCount(0);
});
