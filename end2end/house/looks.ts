// How a page looks, as far as a program can judge it: accessibility in both themes, what does not fit, what it weighs.
import { readFile } from 'node:fs/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

// IBM's engine, a second opinion: it has rules that axe has not.
const second = readFile(new URL('../node_modules/accessibility-checker-engine/ace.js', import.meta.url), 'utf8');

// A form that is one button needs no name beside the button's: it is not a landmark (HTML-AAM), whatever the engine takes it for.
const passed = ['aria_form_label_unique'];

type Finding = { ruleId: string; value: [string, string]; message: string; path: { dom: string } };
type Second = { Checker: new () => { check(page: Document, rules: string[]): Promise<{ results: Finding[] }> } };

/** What is found does not end the journey. */
export class Looks {
  constructor(readonly page: Page) {}

  /** No accessibility violations. */
  async accessible(themes: ('light' | 'dark')[] = ['light', 'dark']): Promise<void> {
    await this.page.waitForLoadState('load');
    for (const colorScheme of themes) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const found = await new AxeBuilder({ page: this.page }).withTags(rules).analyze();
      const violations = found.violations.map(
        ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`,
      );
      expect.soft(violations, `${this.page.url()} in ${colorScheme} has no accessibility violations`).toEqual([]);
    }
    await this.page.emulateMedia({ colorScheme: null, reducedMotion: null });
  }

  /** Nothing that IBM's checker is sure is a violation. */
  async accessibleToo(): Promise<void> {
    await this.page.evaluate(`${await second};globalThis.ace = ace`);
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
}
