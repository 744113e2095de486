// What a screen reader says of a page, from its top to its end (@guidepup/virtual-screen-reader; no real one runs without a
// desktop). It reads the page's accessibility tree as the specifications tell: roles, names, descriptions, states.
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';

type Reader = {
  start(options: { container: Element }): Promise<void>;
  next(): Promise<void>;
  lastSpokenPhrase(): Promise<string>;
  spokenPhraseLog(): Promise<string[]>;
  stop(): Promise<void>;
};

const library = new URL('../node_modules/@guidepup/virtual-screen-reader/lib/esm/index.browser.js', import.meta.url);
const address = '/virtual-screen-reader.js';

/** The phrases, without what there is to choose from; dates and ids, which differ from run to run, are named as such. */
export async function spoken(page: Page, selector: string): Promise<string> {
  // It stays: taken away and put back, it may miss a request in between.
  await page.route(`**${address}`, async (route) =>
    route.fulfill({ contentType: 'text/javascript', body: await readFile(library, 'utf8') }),
  );
  const phrases = await page.evaluate(
    async ({ address, selector }) => {
      const { virtual } = (await import(address)) as { virtual: Reader };
      const container = document.querySelector(selector);
      if (!container) {
        throw new Error(`there is no ${selector}`);
      }
      await virtual.start({ container });
      const first = await virtual.lastSpokenPhrase();
      // It begins anew at the end.
      for (let step = 0; step < 2_000; step += 1) {
        await virtual.next();
        if ((await virtual.lastSpokenPhrase()) === first) {
          break;
        }
      }
      const log = await virtual.spokenPhraseLog();
      await virtual.stop();
      return log;
    },
    { address, selector },
  );
  const said = phrases.filter((phrase) => !phrase.startsWith('option, '));
  return `${said.map(alike).join('\n')}\n`;
}

function alike(phrase: string): string {
  return phrase
    .replace(/\b[a-z]{3,4}_[0-9A-HJKMNP-TV-Z]{26}\b/g, '(id)')
    .replace(/\b\d{1,2} [A-Z][a-z]{2} \d{4}(, \d{2}:\d{2}(:\d{2})?( UTC)?)?/g, '(date)')
    .replace(/\b\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?/g, '(date)');
}
