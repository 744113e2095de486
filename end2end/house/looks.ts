// How a page looks, as far as a program can judge it: accessibility in both themes, what does not fit, what it weighs.
import { readFile } from 'node:fs/promises';
import { type CDPSession, expect, type Page } from '@playwright/test';

const axe = readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

// IBM's engine, a second opinion: it has rules that axe has not.
const second = readFile(new URL('../node_modules/accessibility-checker-engine/ace.js', import.meta.url), 'utf8');

// A form that is one button needs no name beside the button's: it is not a landmark (HTML-AAM), whatever the engine takes it for.
const passed = ['aria_form_label_unique'];

type Finding = { ruleId: string; value: [string, string]; message: string; path: { dom: string } };
type Second = { Checker: new () => { check(page: Document, rules: string[]): Promise<{ results: Finding[] }> } };

type Violation = { id: string; help: string; nodes: { target: string[] }[] };
type First = { run(page: Document, options: object): Promise<{ violations: Violation[] }> };

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** What is found does not end the journey. */
export class Looks {
  // Never detached: a session that ends takes the page's virtual authenticator with it.
  private fonts?: Promise<CDPSession>;

  constructor(readonly page: Page) {}

  /** No accessibility violations in light and in dark, as wide as the page is or at each of these sizes. */
  async accessible(sizes = [this.page.viewportSize() ?? DESK]): Promise<void> {
    await this.page.waitForLoadState('load');
    await this.page.evaluate(`${await axe};0`);
    for (const size of sizes) {
      await this.page.setViewportSize(size);
      for (const colorScheme of ['light', 'dark'] as const) {
        await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const found = await this.page.evaluate(async (rules) => {
          const { axe } = globalThis as unknown as { axe: First };
          const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
          return violations.map(
            ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`,
          );
        }, rules);
        const where = `${this.page.url()}, ${size.width} pixels wide, in ${colorScheme}`;
        expect.soft(found, `${where} has no accessibility violations`).toEqual([]);
      }
    }
    await this.page.emulateMedia({ colorScheme: null, reducedMotion: null });
  }

  /** Nothing that IBM's checker is sure is a violation, at a desk. */
  async accessibleToo(): Promise<void> {
    await this.page.setViewportSize(DESK);
    await this.page.evaluate(`${await second};globalThis.ace = ace`);
    // The engine takes the labels of what is folded away for missing.
    await this.page.evaluate(() => {
      for (const folded of document.querySelectorAll('main details:not([open])')) {
        folded.setAttribute('open', '');
      }
    });
    const found = await this.page.evaluate(async (passed) => {
      const { ace } = globalThis as unknown as { ace: Second };
      const { results } = await new ace.Checker().check(document, ['WCAG_2_2']);
      return results
        .filter(({ ruleId, value }) => value[0] === 'VIOLATION' && value[1] === 'FAIL' && !passed.includes(ruleId))
        .map(({ ruleId, message, path }) => `${ruleId}: ${message}: ${path.dom}`);
    }, passed);
    expect.soft(found, `${this.page.url()} has no violations`).toEqual([]);
  }

  /** Nothing scrolls sideways at these widths. */
  async fits(widths: number[]): Promise<void> {
    const { width, height } = this.page.viewportSize() ?? { width: 1280, height: 720 };
    const beyond = () => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    };
    for (const narrow of widths) {
      await this.page.setViewportSize({ width: narrow, height });
      expect.soft(await this.page.evaluate(beyond), `${this.page.url()} fits into ${narrow} pixels`).toBe(0);
    }
    await this.page.setViewportSize({ width, height });
  }

  /** As `fits`, for somebody whose browser writes twice as large. */
  async fitsLarge(widths: number[]): Promise<void> {
    this.fonts ??= this.page.context().newCDPSession(this.page);
    const session = await this.fonts;
    const write = (standard: number) => session.send('Page.setFontSizes', { fontSizes: { standard } });
    await session.send('Page.enable');
    await write(32);
    expect(await this.page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe('32px');
    await this.fits(widths);
    await write(16);
  }
}
