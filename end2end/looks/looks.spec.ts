// Pictures of every page for a person to look at, in test-results/looks: light, dark, and on a phone.
import { join } from 'node:path';
import { DESK, PHONE } from '../house/looks.ts';
import { places } from '../house/places.ts';
import { test } from '../house/test.ts';

test('pictures', async ({ home, page, tenant }) => {
  test.setTimeout(900_000);
  const { estate } = tenant;
  const ids = new Map(Object.entries(estate).map(([name, id]) => [id, name]));
  for (const [at, place] of places(estate).entries()) {
    // Ids are other ones in each run.
    const words = place.split(/[/?&=]/).map((word) => ids.get(word) ?? word);
    const name = `${String(at).padStart(3, '0')}-${words.join('-').replace(/[^\w.-]+/g, '').replace(/^-+/, '') || 'home'}`;
    await page.goto(home.house.url + place);
    const picture = (look: string) =>
      page.screenshot({ path: join('test-results', 'looks', `${name}-${look}.png`), fullPage: true, animations: 'disabled' });
    await page.setViewportSize(DESK);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await picture(colorScheme);
    }
    await page.setViewportSize(PHONE);
    await page.emulateMedia({ colorScheme: 'light' });
    await picture('phone');
  }
});
