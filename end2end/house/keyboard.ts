// Somebody without a mouse: gets on by Tab, and sees at every stop where they are.
import { expect, type Page } from '@playwright/test';

export class Keyboard {
  constructor(readonly page: Page) {}

  /** Tabs on until the focus is on what is called this. Every stop is in sight and marked. */
  async tabTo(name: RegExp, tag?: string): Promise<void> {
    for (let stops = 0; stops < 80; stops += 1) {
      await this.page.keyboard.press('Tab');
      const at = await this.page.evaluate(() => {
        const here = document.activeElement as HTMLElement;
        const labels = (here as HTMLInputElement).labels;
        const { x, y, width, height } = here.getBoundingClientRect();
        const top = document.elementFromPoint(x + width / 2, y + Math.min(height / 2, 20));
        const outlined = (part?: string) => {
          const { outlineStyle, outlineWidth } = getComputedStyle(here, part);
          return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
        };
        return {
          name: (here.getAttribute('aria-label') ?? labels?.[0]?.innerText ?? here.innerText ?? '').trim(),
          tag: here.tagName.toLowerCase(),
          seen: width > 0 && height > 0 && (here.contains(top) || !!top?.contains(here) || !!labels?.[0]?.contains(top)),
          // Parts of a field of the browser's own making, such as a calendar's button, are marked by the browser.
          marked: outlined() || outlined('::after') || !here.matches(':focus'),
        };
      });
      if (at.tag === 'body') continue; // the browser's own controls, before it begins anew
      const stop = `"${at.name}" (${at.tag}) of ${this.page.url()}`;
      expect(at.seen, `${stop} is in sight`).toBe(true);
      expect(at.marked, `${stop} is marked`).toBe(true);
      if (name.test(at.name) && (!tag || at.tag === tag)) return;
    }
    throw new Error(`no stop of ${this.page.url()} is called ${name}`);
  }

  /** Tabs to a link or button and uses it. */
  async press(name: RegExp, tag?: string): Promise<void> {
    await this.tabTo(name, tag);
    await this.page.keyboard.press('Enter');
  }

  /** Past the navigation, by the first stop of every page. */
  async skip(): Promise<void> {
    await this.page.keyboard.press('Tab');
    await expect(this.page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
    await this.page.keyboard.press('Enter');
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }
}
