// The pseudo-locale shows what did not come from the catalogue: it would read as plain English.
import type { Page } from '@playwright/test';
import { places } from '../house/places.ts';
import { expect, test } from '../house/test.ts';

/** Words in plain letters that nobody typed: what people gave stands between isolates or is marked `translate="no"`. */
async function english(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    // A title begins with a name that somebody gave, and what is in a text field somebody typed.
    const untranslated = '[translate="no"], [lang="en"], title, code, pre, script, style, noscript, textarea';
    const pieces: string[] = [];
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node: Node | null = walker.currentNode; node; node = walker.nextNode()) {
      const element = node instanceof Element ? node : node.parentElement;
      if (element?.closest(untranslated)) continue;
      if (node instanceof Element) {
        pieces.push(...['title', 'aria-label', 'placeholder', 'alt'].map((name) => node.getAttribute(name) ?? ''));
      } else {
        pieces.push(node.textContent ?? '');
      }
    }
    const own = pieces.map((piece) => piece.replaceAll(/\u2068[^\u2069]*\u2069/g, ' '));
    return own.flatMap((piece) => piece.match(/[A-Za-z]{3,}/g) ?? []).filter((word) => !['UTC', 'Keywarden'].includes(word));
  });
}

test('no word of any page is outside the catalogue', async ({ home, page, tenant }) => {
  test.setTimeout(300_000);
  const { estate: it, person } = tenant;
  await page.goto(`${home.house.url}/account`);
  await page.getByRole('main').getByRole('button', { name: /pseudo/ }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en-XA');
  // The document of the API is in English, whoever reads it.
  for (const place of places(it).filter((place) => !place.startsWith('/api/docs/'))) {
    await page.goto(home.house.url + place);
    expect.soft(await english(page), place).toEqual([]);
  }
  await page.goto(`${home.house.url}/account`);
  await page.getByRole('main').getByRole('button', { name: 'English' }).click();
  await person.isAt('Your account');
});
