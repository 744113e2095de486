// How soon pages are painted (the bar U-02) and what they weigh, told and not judged: a time is the machine's as well as ours.
import { brotliCompressSync } from 'node:zlib';
import { test } from '../house/test.ts';
import { places } from '../house/places.ts';

const ROUNDS = 5;

type Paints = { first: number; largest: number };
type Weight = { bytes: number; brotli: number };

test('paints', async ({ home, page, tenant }) => {
  test.setTimeout(600_000);
  const table: ({ place: string } & Paints & Weight)[] = [];
  for (const place of places(tenant.estate)) {
    const seen: Paints[] = [];
    let weight: Weight = { bytes: 0, brotli: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const answer = await page.goto(home.house.url + place);
      seen.push(await page.evaluate(paints));
      const body = await answer?.body();
      if (body) weight = { bytes: body.length, brotli: brotliCompressSync(body).length };
    }
    table.push({ place, first: median(seen.map((it) => it.first)), largest: median(seen.map((it) => it.largest)), ...weight });
  }
  const line = (name: string, { first, largest, bytes, brotli }: Paints & Weight) => {
    const figures = [`${first.toFixed(0)} ms`, `${largest.toFixed(0)} ms`, `${bytes} B`, `${brotli} B`];
    console.log(`  ${name.padEnd(56)}${figures.map((it) => it.padStart(11)).join('')}`);
  };
  console.log(`pages, median of ${ROUNDS} with a warm cache: first and largest contentful paint; as sent, and as brotli would make it`);
  for (const { place, ...told } of table) line(place, told);
  const most = (figure: keyof (Paints & Weight)) => Math.max(...table.map((it) => it[figure]));
  line('the most (at most 250, 400)', { first: most('first'), largest: most('largest'), bytes: most('bytes'), brotli: most('brotli') });
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
