// How soon pages are painted (the bar U-02), told and not judged: a time is the machine's as well as ours.
import { test } from '../house/test.ts';
import { places } from '../house/places.ts';

const ROUNDS = 5;

type Paints = { first: number; largest: number };

test('paints', async ({ home, page, tenant }) => {
  test.setTimeout(600_000);
  const table: { place: string; first: number; largest: number }[] = [];
  for (const place of places(tenant.estate)) {
    const seen: Paints[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await page.goto(home.house.url + place);
      seen.push(await page.evaluate(paints));
    }
    table.push({ place, first: median(seen.map((it) => it.first)), largest: median(seen.map((it) => it.largest)) });
  }
  const line = (name: string, { first, largest }: Paints) =>
    console.log(`  ${name.padEnd(56)} ${first.toFixed(0).padStart(8)} ms ${largest.toFixed(0).padStart(8)} ms`);
  console.log(`paints, median of ${ROUNDS} with a warm cache: first contentful, largest contentful`);
  for (const { place, ...told } of table) line(place, told);
  line('the slowest', {
    first: Math.max(...table.map((it) => it.first)),
    largest: Math.max(...table.map((it) => it.largest)),
  });
});

/** In the page: when something, and when the largest thing, was painted; milliseconds since the navigation began. */
async function paints(): Promise<Paints> {
  const latest = (type: string, only: (entry: PerformanceEntry) => boolean) =>
    new Promise<number>((told) => {
      new PerformanceObserver((list) => {
        const last = list.getEntries().filter(only).at(-1);
        if (last) told(last.startTime);
      }).observe({ type, buffered: true });
    });
  const first = await latest('paint', (entry) => entry.name === 'first-contentful-paint');
  const largest = await latest('largest-contentful-paint', () => true);
  return { first, largest };
}

function median(times: number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
}
