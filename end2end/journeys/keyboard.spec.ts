// The ten things that people come to do, without a mouse (the bar U-03).
import { Keyboard } from '../house/keyboard.ts';
import { expect, test } from '../house/test.ts';

test('ten tasks by keyboard alone, and the focus is always seen', async ({ admin, owner, page, wasm }) => {
  test.setTimeout(180_000);
  const place = { project: 'keyboard', environment: 'live' };
  await admin.post('/projects', { slug: 'keyboard', name: 'Keyboard' });
  await admin.post('/projects/keyboard/environments', { slug: 'live', name: 'Live', label: 'live' });
  await admin.post('/keys', { ...place, name: 'found-by-name' });
  await owner.signOut();
  const keyboard = new Keyboard(page);

  await test.step('sign in', async () => {
    await keyboard.press(/^Use passkey$/);
    await owner.isAt('Home');
  });

  await test.step('find a key', async () => {
    if (wasm) {
      await page.keyboard.press('Control+k');
      await expect(page.getByRole('combobox', { name: 'Search or jump to' })).toBeFocused();
      await keyboard.type('found-by');
      await expect(page.getByRole('option', { name: /found-by-name/ })).toBeVisible();
      await page.keyboard.press('Enter');
    } else {
      await keyboard.press(/^Keys$/, 'a');
      await owner.isAt('Keys');
      await keyboard.skip();
      await keyboard.tabTo(/name/i, 'input');
      await keyboard.type('found-by');
      await page.keyboard.press('Enter');
      await expect(page).toHaveURL(/q=found-by/);
      await keyboard.skip();
      await keyboard.press(/^found-by-name$/);
    }
    await owner.isAt('found-by-name');
  });

  await test.step('issue a key', async () => {
    await keyboard.press(/^Keys$/, 'a');
    await owner.isAt('Keys');
    await keyboard.skip();
    await keyboard.press(/^Issue key$/);
    await owner.isAt('Issue key');
    await keyboard.skip();
    await keyboard.tabTo(/^Environment$/);
    await keyboard.type('Keyboard');
    await keyboard.tabTo(/^Name$/);
    await keyboard.type('typed');
    await page.keyboard.press('Enter');
    await owner.isAt('Key issued');
    await keyboard.tabTo(/^Value$/);
    await keyboard.press(/^I have stored it$/);
    await owner.isAt('typed');
  });

  await test.step('rotate it', async () => {
    await keyboard.press(/^Rotate key$/);
    await owner.isAt('Rotate key');
    await keyboard.press(/^Rotate key$/, 'button');
    await owner.isAt('Key rotated');
    await keyboard.press(/^I have stored it$/);
    await owner.isAt('typed');
  });

  await test.step('suspend it', async () => {
    await keyboard.press(/^Suspend key$/);
    await owner.isAt('Suspend key');
    await keyboard.press(/^Suspend key$/, 'button');
    await owner.isAt('typed');
    await expect(page.getByText('Suspended typed.')).toBeVisible();
  });

  await test.step('revoke it', async () => {
    await keyboard.press(/^Revoke$/);
    await owner.isAt('Revoke key');
    await keyboard.tabTo(/^(Superseded|Compromised|No longer needed|Another reason)$/, 'input');
    await page.keyboard.press('ArrowDown');
    await keyboard.press(/^Revoke key$/, 'button');
    await owner.isAt('typed');
    await expect(page.getByText('Revoked typed.')).toBeVisible();
  });

  await test.step('put a secret', async () => {
    await page.goto('/secrets?project=keyboard&environment=live');
    await keyboard.skip();
    await keyboard.press(/^Create secret$/);
    await owner.isAt('Create secret');
    await keyboard.tabTo(/^Path$/);
    await keyboard.type('database/password');
    await keyboard.tabTo(/^Value/, 'textarea');
    await keyboard.type('typed-71c');
    await keyboard.press(/^Create secret$/, 'button');
    await owner.isAt('password');
  });

  await test.step('reveal it', async () => {
    await keyboard.press(/^Reveal$/);
    await owner.isAt('Value revealed');
    await keyboard.press(/^Show/, 'summary');
    await expect(page.locator('#secret')).toBeVisible();
    await expect(page.locator('#secret')).toHaveText('typed-71c');
  });

  await test.step('filter the record', async () => {
    await keyboard.press(/^Audit$/, 'a');
    await owner.isAt('Audit');
    await keyboard.skip();
    await keyboard.tabTo(/^Action$/, 'select');
    await keyboard.type('secret.r');
    await keyboard.press(/^Filter$/, 'button');
    await expect(page).toHaveURL(/action=secret\.read/);
    await expect(page.getByRole('main').getByRole('row', { name: /secret\.read/ }).first()).toContainText('Ada Lovelace');
  });

  await test.step('invite somebody', async () => {
    await keyboard.press(/^People$/, 'a');
    await owner.isAt('People');
    await keyboard.skip();
    await keyboard.press(/^Invite somebody$/);
    await owner.isAt('Invite somebody');
    await keyboard.tabTo(/^Name$/);
    await keyboard.type('Grace Hopper');
    await keyboard.tabTo(/^Viewer$/, 'input');
    for (let down = 0; down < 5; down += 1) await page.keyboard.press('ArrowDown');
    await expect(page.getByRole('radio', { name: 'Auditor' })).toBeChecked();
    await keyboard.press(/^Make invitation link$/, 'button');
    await owner.isAt('Invitation for Grace Hopper');
  });
});
