// Everything a browser says when something is wrong: console errors, uncaught exceptions, and
// violations of the content security policy.
import type { BrowserContext, ConsoleMessage } from '@playwright/test';

export class Complaints {
  readonly #wasm: boolean;
  readonly #heard: string[] = [];
  readonly #expected: RegExp[] = [];
  /** Pages that answered with an error on purpose: a refused form is a 422 that the console mentions. */
  readonly #refusedPages = new Set<string>();

  constructor(wasm: boolean) {
    this.#wasm = wasm;
  }

  async watch(context: BrowserContext): Promise<void> {
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
        console.error(`content security policy: ${effectiveDirective} forbids ${blockedURI}`),
      );
    });
    context.on('response', (response) => {
      const status = response.status();
      if (response.request().isNavigationRequest() && status >= 400 && status < 500) {
        this.#refusedPages.add(withoutPlace(response.url()));
      }
    });
    context.on('console', (message) => {
      if (message.type() === 'error' && !this.#isOurDoing(message)) {
        this.#heard.push(`${message.text()} (${message.location().url})`);
      }
    });
    context.on('weberror', (error) => this.#heard.push(`uncaught: ${error.error().message}`));
  }

  /** Announces a complaint that belongs to the journey. */
  expect(complaint: RegExp): void {
    this.#expected.push(complaint);
  }

  unexpected(): string[] {
    return this.#heard.filter((complaint) => !this.#expected.some((expected) => expected.test(complaint)));
  }

  #isOurDoing(message: ConsoleMessage): boolean {
    const { url } = message.location();
    if (!message.text().startsWith('Failed to load resource')) {
      return false;
    }
    return this.#refusedPages.has(withoutPlace(url)) || (!this.#wasm && url.endsWith('.wasm'));
  }
}

/** A page's address without the place on it, which no server sees. */
function withoutPlace(url: string): string {
  return url.split('#')[0] ?? url;
}
