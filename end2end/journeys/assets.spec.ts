import { expect, test } from '../house/test.ts';

test('what the first page loads is ours alone, and the browser may keep it for ever', async ({ page, house }) => {
  const responses: { url: string; headers: Record<string, string> }[] = [];
  page.on('response', (response) => responses.push({ url: response.url(), headers: response.headers() }));
  await page.goto(house.setupLink);
  await page.waitForLoadState('networkidle');

  expect(responses.filter(({ url }) => !url.startsWith(`${house.url}/`))).toEqual([]);
  const assets = responses.filter(({ url }) => url.startsWith(`${house.url}/assets/`));
  expect(assets.length).toBeGreaterThan(0);
  for (const { url, headers } of assets) {
    expect(headers['cache-control'], url).toBe('public, max-age=31536000, immutable');
    expect(headers['cross-origin-resource-policy'], url).toBe('same-origin');
    expect(headers['x-content-type-options'], url).toBe('nosniff');
  }
});
