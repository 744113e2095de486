// Issuing a key without a mouse.
import { expect, test } from '../house/test.ts';

test('a key is issued by keyboard alone, and the focus is always seen', async ({ admin, owner, page }) => {
  await admin.post('/projects', { slug: 'keyboard', name: 'Keyboard' });
  await admin.post('/projects/keyboard/environments', { slug: 'live', name: 'Live', label: 'live' });
  await page.goto('/keys?project=keyboard');

  /** Tabs on until the focus is on what is called this; every stop must be in sight. */
  const tabTo = async (name: string | RegExp, role?: string) => {
    for (let stops = 0; stops < 60; stops += 1) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const here = document.activeElement as HTMLElement;
        const labels = (here as HTMLInputElement).labels;
        const { x, y, width, height } = here.getBoundingClientRect();
        const top = document.elementFromPoint(x + width / 2, y + Math.min(height / 2, 20));
        return {
          name: (here.getAttribute('aria-label') ?? labels?.[0]?.innerText ?? here.innerText ?? '').trim(),
          tag: here.tagName.toLowerCase(),
          seen: width > 0 && height > 0 && (here.contains(top) || !!top?.contains(here) || !!labels?.[0]?.contains(top)),
        };
      });
      expect(at.seen, `the focus on "${at.name}" (${at.tag}) is in sight`).toBe(true);
      if (at.name.match(name) && (!role || at.tag === role)) return;
    }
    throw new Error(`no stop is called ${name}`);
  };

  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await tabTo(/^Issue key$/);
  await page.keyboard.press('Enter');
  await owner.isAt('Issue key');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await tabTo(/^Environment$/);
  await page.keyboard.type('Keyboard');
  await tabTo(/^Name$/);
  await page.keyboard.type('typed');
  await page.keyboard.press('Enter');
  await owner.isAt('Key issued');
  await tabTo(/^Value$/);
  await tabTo(/^I have stored it$/);
  await page.keyboard.press('Enter');
  await owner.isAt('typed');
});
