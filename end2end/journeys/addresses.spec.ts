// What somebody looks at has an address: it can be reloaded, given to somebody else, and come back to (the bar U-08).
import type { Page } from '@playwright/test';
import { expect, test } from '../house/test.ts';

/** What tells a page from another: its title, where its links lead, and what is chosen in its fields. */
async function seen(page: Page): Promise<string[]> {
  await page.waitForLoadState('load');
  return page.evaluate(() => {
    const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(`main ${selector}`)];
    return [
      document.title,
      ...all('a').map((it) => `${it.getAttribute('href')} ${it.ariaCurrent ?? ''}`),
      ...all('tr').map((it) => it.querySelector('th')?.textContent ?? ''),
      ...all('select, input:not([type="hidden"])').map((it) => (it as HTMLInputElement).value),
    ];
  });
}

test('tabs, an event, a later page and a comparison are addresses', async ({ context, home, page, tenant, wasm }) => {
  test.skip(!wasm, 'the pages are the same without WebAssembly');
  test.setTimeout(180_000);
  const { key, secret } = tenant.estate;
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 16);
  const ways: [from: string, link: string][] = [
    ...['drain', 'audit'].map((tab): [string, string] => [`/keys/${key}`, `.tabs a[href$="?tab=${tab}"]`]),
    ...['access', 'audit', 'copy'].map((tab): [string, string] => [`/secrets/${secret}`, `.tabs a[href$="?tab=${tab}"]`]),
    [`/keys/${key}?tab=audit`, 'th a'],
    [`/audit?until=${yesterday}`, 'a[rel="next"]'],
    ['/secrets?project=pay&environment=production', 'a[href*="/secrets/beside"]'],
    ['/secrets/beside?project=pay', 'th a, td a'],
    [`/secrets/${secret}/versions/2`, 'a[href*="/compare"]'],
    [`/secrets/${secret}/versions/2/compare?with=1`, 'a[href$="/versions/2"]'],
  ];
  for (const [from, selector] of ways) {
    await page.goto(home.house.url + from);
    const link = page.locator(`main ${selector}`).first();
    const before = await seen(page);
    const address = new URL((await link.getAttribute('href'))!, page.url()).href;
    await link.click();
    await expect(page).toHaveURL(address);
    const there = await seen(page);
    expect(there, address).not.toEqual(before);

    await page.reload();
    expect.soft(await seen(page), `${address}, reloaded`).toEqual(there);
    const other = await context.newPage();
    await other.goto(address);
    expect.soft(await seen(other), `${address}, given to somebody`).toEqual(there);
    await other.close();
    await page.goBack();
    expect(page.url()).toBe(home.house.url + from);
    expect.soft(await seen(page), `back from ${address}`).toEqual(before);
    await page.goForward();
    expect.soft(await seen(page), `${address}, forward again`).toEqual(there);
  }
});
