// A value that was revealed covers itself again: with WebAssembly its box closes, without it the style sheet hides the text.
import { expect, test } from '../house/test.ts';

test('a revealed value is out of sight after half a minute, and can be shown again', async ({
  admin,
  owner,
  page,
  wasm,
}, { project }) => {
  const main = page.getByRole('main');
  const slug = `covered-${project.name}`;
  await admin.post('/projects', { slug, name: `Covered ${project.name}` });
  await admin.post(`/projects/${slug}/environments`, { slug: 'live', name: 'Live', label: 'live' });
  await page.goto(`/secrets/new?project=${slug}&environment=live`);
  await owner.field('Path').fill('password');
  await owner.field('Value').fill('hunter2-93f');
  await owner.press('Create secret');
  await owner.isAt('password');

  await page.clock.install();
  await owner.press('Reveal');
  await owner.isAt('Value revealed');
  await expect(main.getByText('It covers itself again after 30 seconds')).toBeVisible();
  const value = page.locator('#secret');
  const show = main.getByText('Show', { exact: true });
  if (wasm) {
    await expect(page.locator('.revealed-top').getByRole('button'), 'the islands run').toBeEnabled();
  }
  await show.click();
  await expect(value).toHaveText('hunter2-93f');
  await expect(value).toBeVisible();

  if (wasm) {
    await page.clock.runFor(20_000);
    await expect(value).toBeVisible();
    await page.clock.runFor(12_000);
    await expect(show).toBeVisible();
  } else {
    const passes = (seconds: number) =>
      page.locator('#secret-box').evaluate((box, until) => {
        const running = box.getAnimations();
        running.forEach((it) => (it.currentTime = until));
        return running.length;
      }, seconds * 1_000);
    expect(await passes(29), 'the style sheet counts').toBe(1);
    await expect(value).toBeVisible();
    await passes(30);
  }
  await expect(value).toBeHidden();

  if (!wasm) {
    await main.getByText('Hide', { exact: true }).click();
  }
  await show.click();
  await expect(value).toBeVisible();
});
