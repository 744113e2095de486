// What every page promises, in a house that is lived in (the bars U-01, U-02, U-03 and U-05).
import { gzipSync } from 'node:zlib';
import { DESK, Looks, PHONE } from '../house/looks.ts';
import { empty, places, refusable } from '../house/places.ts';
import { expect, test } from '../house/test.ts';

test.beforeEach(({ wasm }) => {
  test.skip(!wasm, 'the pages are the same without WebAssembly');
  test.setTimeout(900_000);
});

test('every page is accessible in light and dark, at a desk and on a phone', async ({ home, page, tenant }) => {
  const looks = new Looks(page);
  for (const place of places(tenant.estate)) {
    await page.goto(home.house.url + place);
    await looks.accessible([DESK, PHONE]);
  }
});

test('every page of a house that is empty is accessible too', async ({ page, somebody, untouched }) => {
  const looks = new Looks(page);
  await somebody.setUp(untouched.setupLink, 'Acme', 'Ada Lovelace');
  for (const place of empty) {
    await page.goto(untouched.url + place);
    await looks.accessible([DESK, PHONE]);
    await looks.accessibleToo();
  }
});

test('the pages before anybody is known are accessible too, and fit', async ({ page, somebody, untouched }) => {
  const looks = new Looks(page);
  const look = async (address: string) => {
    await page.goto(address);
    await looks.accessible([DESK, PHONE]);
    await looks.accessibleToo();
    await looks.fits([320, 390, 640, 768, 1024, 1280, 1440]);
    await looks.fitsLarge([640, 768, 1280, 1440]);
  };
  await look(untouched.setupLink);
  await page.setViewportSize(DESK);
  await somebody.setUp(untouched.setupLink, 'Acme', 'Ada Lovelace');
  await somebody.signOut();
  for (const place of ['/sign-in', '/recover']) {
    await look(untouched.url + place);
  }
});

test('every form that is refused is accessible too', async ({ home, page, tenant }) => {
  const looks = new Looks(page);
  for (const place of refusable(tenant.estate)) {
    await page.goto(home.house.url + place);
    const answer = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.getByRole('main').locator('form[method="post"]').first().evaluate(sendEmpty);
    expect.soft((await answer).status(), place).toBe(422);
    await expect(page).toHaveTitle(/^Error: /);
    await looks.accessible([DESK, PHONE]);
    await looks.accessibleToo();
  }
});

test('a second checker finds every page accessible too', async ({ home, page, tenant }) => {
  const looks = new Looks(page);
  for (const place of places(tenant.estate)) {
    await page.goto(home.house.url + place);
    await looks.accessibleToo();
  }
});

test('every page has one heading and a title of its own, and fits', async ({ home, page, tenant }) => {
  const looks = new Looks(page);
  for (const place of places(tenant.estate)) {
    await page.goto(home.house.url + place);
    await expect.soft(page.getByRole('heading', { level: 1 }), place).toHaveCount(1);
    await expect.soft(page, place).toHaveTitle(/\S.* — Keywarden$/);
    // 640: what 1280 pixels are at a zoom of 200 %.
    await looks.fits([320, 390, 640, 768, 1024, 1280, 1440]);
    await looks.fitsLarge([640, 768, 1280, 1440]);
  }
});

test('every page is small', async ({ home, page, tenant }) => {
  for (const place of places(tenant.estate)) {
    const answer = await page.goto(home.house.url + place);
    const bytes = gzipSync(await answer!.body()).length;
    expect.soft(bytes, `bytes of ${place}, compressed`).toBeLessThanOrEqual(40 * 1024);
    const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
    expect.soft(nodes, `elements of ${place}`).toBeLessThanOrEqual(1_500);
  }
});

test('the first page is light, and a later one lighter', async ({ context, home, page, tenant }) => {
  const weigh = async (place: string) => {
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    const asked = new Map<string, string>();
    session.on('Network.requestWillBeSent', ({ request, requestId }) => asked.set(requestId, request.url));
    session.on('Network.requestServedFromCache', ({ requestId }) => asked.delete(requestId));
    session.on('Network.responseReceived', ({ requestId, response }) => response.fromDiskCache && asked.delete(requestId));
    session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await page.goto(home.house.url + place);
    await page.waitForLoadState('networkidle');
    await session.detach();
    return { bytes, urls: [...asked.values()].filter((url) => !url.startsWith('data:')) };
  };
  await tenant.person.isAt('Home');
  const key = `/keys/${tenant.estate.key}`;
  const session = await context.newCDPSession(page);
  await session.send('Network.clearBrowserCache');
  const cold = await weigh(key);
  expect(cold.bytes, 'bytes with an empty cache').toBeLessThanOrEqual(150 * 1024);
  expect(cold.urls.length, cold.urls.join(' ')).toBeLessThanOrEqual(8);
  expect(cold.urls.filter((url) => !url.startsWith(home.house.url))).toEqual([]);
  const warm = await weigh('/keys');
  expect(warm.urls, 'a later page asks for nothing but itself').toEqual([`${home.house.url}/keys`]);
  // The server compresses no page; what stands before it may.
  expect(warm.bytes, 'bytes of a later page as it is sent').toBeLessThanOrEqual(64 * 1024);
  expect(gzipSync(await page.content()).length, 'bytes of a later page, compressed').toBeLessThanOrEqual(40 * 1024);
});

test('nothing moves for those who asked for calm', async ({ home, page, tenant }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  for (const place of ['/', '/keys', `/keys/${tenant.estate.key}`]) {
    await page.goto(home.house.url + place);
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll('*')].filter((it) => {
        const { animationName, transitionDuration } = getComputedStyle(it);
        return animationName !== 'none' || transitionDuration.split(', ').some((span) => parseFloat(span) > 0.001);
      }).map((it) => it.outerHTML.slice(0, 80)),
    );
    expect(moving, place).toEqual([]);
  }
});

/** In the page: nothing is filled in and nothing chosen, and the browser does not mind. */
function sendEmpty(form: HTMLElement | SVGElement): void {
  if (!(form instanceof HTMLFormElement)) return;
  for (const field of form.querySelectorAll('input:not([type="hidden"]), textarea, select')) {
    if (field instanceof HTMLInputElement && ['checkbox', 'radio'].includes(field.type)) field.checked = false;
    else (field as HTMLInputElement).value = '';
  }
  form.noValidate = true;
  form.requestSubmit();
}
