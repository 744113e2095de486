// Forms that are refused lose nothing, and forms that come twice do nothing twice.
import { expect, test } from '../house/test.ts';

test.beforeEach(async ({ admin }) => {
  await admin.post('/projects', { slug: 'forms', name: 'Forms' }).catch(() => {});
  await admin.post('/projects/forms/environments', { slug: 'live', name: 'Live', label: 'live' }).catch(() => {});
});

test('a refused form keeps what was typed, and leads to what is wrong', async ({ accessible, owner, page }) => {
  await page.goto('/keys/new');
  await owner.field('Environment').selectOption({ label: 'Forms / Live' });
  await owner.field('Name').fill('partner');
  await owner.field('Description').fill('</textarea><b>the partner</b> & friends');
  await owner.field('Scopes').fill('Orders');
  await owner.field('Allowed addresses').fill('10.1.2.3/8');
  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await owner.press('Issue key');
  expect((await answer).status()).toBe(422);

  await expect(page).toHaveTitle(/^Error: /);
  const summary = page.getByRole('alert');
  await expect(summary).toBeFocused();
  await expect(summary).toContainText('2 fields need a change');
  await expect(owner.field('Name')).toHaveValue('partner');
  await expect(owner.field('Description')).toHaveValue('</textarea><b>the partner</b> & friends');
  await expect(owner.field('Scopes')).toHaveValue('Orders');
  await expect(owner.field('Scopes')).toHaveAttribute('aria-invalid', 'true');
  await expect(owner.field('Allowed addresses')).toHaveAccessibleDescription(/10\.0\.0\.0\/8/);
  await accessible();

  await summary.getByRole('link', { name: /^Scopes/ }).click();
  await expect(owner.field('Scopes')).toBeFocused();
  await owner.field('Scopes').fill('orders:read');
  await owner.field('Allowed addresses').fill('10.0.0.0/8');
  await owner.press('Issue key');
  await owner.isAt('Key issued');
});

test('a value is shown once: the same form again leads to the key and shows nothing', async ({ accessible, owner, page }) => {
  // As where no script takes what was posted out of the history: a reload posts it again.
  await page.addInitScript(() => {
    History.prototype.replaceState = () => undefined;
  });
  const value = await owner.issueKey('once', 'Forms / Live');
  await page.reload();
  await owner.isAt('This was done already');
  expect(await page.content()).not.toContain(value);
  expect(await page.content()).not.toMatch(/kwk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]/);
  await accessible();
  await owner.press('Look at it');
  await owner.isAt('once');
});

test('whoever loads the page of a value again is at what was made, and makes no second one', async ({ owner, page }) => {
  const issued = await owner.issueKey('reloaded', 'Forms / Live');
  await page.waitForURL('**/keys/key_*');
  const key = page.url();
  await page.reload();
  await owner.isAt('reloaded');
  expect(page.url()).toBe(key);
  expect(await page.content()).not.toContain(issued);

  await page.goto(`${key}/rotate`);
  await owner.press('Rotate key');
  await owner.isAt('Key rotated');
  expect(await owner.takeValue()).not.toBe(issued);
  await page.waitForURL(key);
  await page.reload();
  await owner.isAt('reloaded');
  expect(page.url()).toBe(key);
});

test('a button that is pressed again while the answer is on its way shows the value all the same', async ({ context, owner, page }) => {
  await page.goto('/keys/new');
  await owner.field('Environment').selectOption({ label: 'Forms / Live' });
  await owner.field('Name').fill('impatient');
  // The server has done it; its answer is on a slow line.
  const line = await context.newCDPSession(page);
  const held: string[] = [];
  line.on('Fetch.requestPaused', ({ requestId }) => held.push(requestId));
  await line.send('Fetch.enable', { patterns: [{ urlPattern: '*/keys/new', requestStage: 'Response' }] });
  const issue = page.getByRole('main').getByRole('button', { name: 'Issue key', exact: true });
  await issue.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await issue.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.dblclick(x + width / 2, y + height / 2);
  await expect.poll(() => held.length, 'the server has answered').toBe(1);
  await page.mouse.click(x + width / 2, y + height / 2);
  expect(held, 'nothing was sent again').toHaveLength(1);
  await line.send('Fetch.continueRequest', { requestId: held[0] });
  await owner.isAt('Key issued');
  expect(await owner.takeValue()).toMatch(/^kwk_live_/);
  await line.detach();
});

test('a form whose answer was stopped can be sent again at once', async ({ context, owner, page }) => {
  await page.goto('/keys/new');
  await owner.field('Environment').selectOption({ label: 'Forms / Live' });
  await owner.field('Name').fill('hesitant');
  const line = await context.newCDPSession(page);
  const held: string[] = [];
  line.on('Fetch.requestPaused', ({ requestId }) => held.push(requestId));
  await line.send('Fetch.enable', { patterns: [{ urlPattern: '*/keys/new', requestStage: 'Response' }] });
  const issue = page.getByRole('main').getByRole('button', { name: 'Issue key', exact: true });
  // The page itself stops it, once it says that it waits: no question reaches a page that is about to be left.
  const stopped = issue.evaluate(
    (button) =>
      new Promise<void>((done) => {
        const waits = new MutationObserver(() => {
          waits.disconnect();
          // By now the answer is there, and held.
          setTimeout(() => {
            window.stop();
            done();
          }, 4_000);
        });
        waits.observe(button, { attributeFilter: ['aria-busy'] });
      }),
  );
  await issue.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await issue.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.click(x + width / 2, y + height / 2);
  await stopped;
  expect(held, 'the server has answered').toHaveLength(1);
  await page.mouse.click(x + width / 2, y + height / 2);
  await expect.poll(() => held.length, 'it is sent again').toBe(2);
  await line.send('Fetch.continueRequest', { requestId: held[1] });
  await owner.isAt('This was done already');
  await owner.press('Rotate key');
  await owner.isAt('Rotate key');
  await line.detach();
});

test('a form whose answer is a file can be sent again from its page', async ({ admin, owner, page }) => {
  const { id } = await admin.put<{ id: string }>('/projects/forms/environments/live/secrets/taken/twice', { value: 'v' });
  await page.clock.install();
  await page.goto(`/secrets/${id}`);
  const coming = page.waitForEvent('download');
  await owner.press('Download');
  await coming;
  const button = page.getByRole('main').getByRole('button', { name: 'Download', exact: true });
  await page.clock.fastForward(1_500);
  await expect(button, 'it says that it is at work').toHaveAttribute('aria-busy', 'true');
  await expect(button).toBeEnabled();
  await page.clock.fastForward(2_500);
  await expect(button).not.toHaveAttribute('aria-busy');
  await owner.press('Download');
  await owner.isAt('The value is not shown');
});
