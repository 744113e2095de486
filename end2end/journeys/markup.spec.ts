// What people, services and strangers write stays text, wherever a page shows it (S-24).
import { AGE, live } from '../house/estate.ts';
import { House } from '../house/house.ts';
import { Machine } from '../house/machine.ts';
import { places } from '../house/places.ts';
import { expect, test } from '../house/test.ts';

/** Leaves an attribute, a title, a text area and a script, then makes an element that asks somebody to look. */
const mark = `"'></title></textarea></script><svg data-mark onload=alert(1)>`;
const more = `</select><img data-mark src=x onerror=alert(1)><!-- ]]> &lt;b data-mark&gt; \${{7*7}} {{7*7}}`;
/** A slash would make folders of it. */
const file = `"'><img data-mark src=x onerror=alert(1)>`;
const say = (text: string) => (text.length > 30 ? `${text} ${mark}${more}` : `${text} ${mark}`);

test.use({ userAgent: mark });

test('a name that is markup is shown as it is written, and does nothing', async ({ page, somebody: ada, wasm }, { workerIndex }) => {
  test.skip(!wasm, 'the pages are the same without WebAssembly');
  test.setTimeout(300_000);
  const asked: string[] = [];
  page.on('dialog', async (dialog) => {
    asked.push(dialog.message());
    await dialog.dismiss();
  });
  /** Nothing that was written became an element, an attribute or a link; says whether it is in the page at all. */
  const harmless = async (where: string): Promise<boolean> => {
    const { made, shown } = await page.evaluate(() => {
      const leads = /^\s*(javascript:|vbscript:|data:\w)/i;
      const made = [...document.querySelectorAll('*')].filter((it) =>
        it.getAttributeNames().some((name) => name === 'data-mark' || name.startsWith('on') || leads.test(it.getAttribute(name) ?? '')),
      );
      const text = document.documentElement.textContent ?? '';
      return { made: made.map((it) => it.outerHTML.slice(0, 160)), shown: text.includes('data-mark') };
    });
    expect.soft(made, where).toEqual([]);
    return shown;
  };

  const house = await House.start(`markup_${workerIndex}`, AGE);
  try {
    await ada.setUp(house.setupLink, say('Acme'), say('Ada Lovelace'));
    const it = await live(house, page, { every: 20, say });
    const admin = new Machine(house.url, await house.operator('token', '--role', 'admin'));
    const { id: secret } = await admin.put<{ id: string }>(
      `/projects/pay/environments/production/secrets/${encodeURIComponent(file)}/${encodeURIComponent(`${file} 2`)}`,
      { value: `<!doctype html>${mark}${more}` },
    );
    await ada.signIn(house.url);

    let shown = 0;
    for (const place of [...places(it), `/secrets/${secret}`, `/secrets/${secret}/versions/1`]) {
      await page.goto(house.url + place);
      shown += Number(await harmless(place));
    }
    expect(shown, 'pages with what was written in them').toBeGreaterThan(places(it).length / 2);
    await page.goto(`${house.url}/keys/${it.key}`);
    expect(await page.title()).toContain(mark);

    await test.step('in an address', async () => {
      const text = encodeURIComponent(mark);
      const searches = ['keys', 'secrets', 'projects', 'people', 'teams', 'workloads', 'audit', 'leaks', 'api/docs'].map((list) => `/${list}?q=${text}`);
      for (const place of [
        ...searches,
        `/keys?tag=${text}&state=${text}&project=pay`,
        `/secrets?tag=${text}`,
        `/secrets?project=pay&environment=production&folder=${encodeURIComponent(file)}`,
        `/secrets/beside?project=pay&folder=${encodeURIComponent(file)}`,
        `/secrets/new?project=pay&environment=production&folder=${text}`,
        `/audit?actor=${text}&action=${text}&since=${text}`,
        `/people/${text}`,
        `/recover/${text}`,
        `/join/${text}`,
        `/${text}`,
      ]) {
        await page.goto(house.url + place);
        await harmless(place);
      }
    });

    await test.step('in forms that are refused or taken, and in what is said afterwards', async () => {
      await page.goto(`${house.url}/keys/new`);
      for (const field of ['Name', 'Description', 'Scopes', 'Allowed addresses', 'Tags']) await ada.field(field).fill(mark);
      await ada.press('Issue key');
      await expect(page).toHaveTitle(/^Error: /);
      expect(await harmless('a refused form')).toBe(true);
      await page.goto(`${house.url}/projects/new`);
      await ada.field('Name').fill(mark);
      await ada.field('Slug').fill('marked');
      await ada.press('Create project');
      await ada.isAt(mark);
      await expect(page.getByText(`Created project ${mark}.`)).toBeVisible();
      await harmless('a project that was just made');
      await page.goto(`${house.url}/account/passkeys/${it.passkey}`);
      await ada.field('Name').fill(mark);
      await ada.press('Rename');
      await ada.isAt('Your account');
      expect(await harmless('a passkey and a session of this name')).toBe(true);
    });

    await test.step('in a value, and in the palette', async () => {
      await page.goto(`${house.url}/secrets/${secret}`);
      await ada.press('Reveal');
      await expect(page.locator('#secret')).toContainText(mark);
      await harmless('a revealed value');
      await page.goto(`${house.url}/secrets/${secret}/versions/1/download`);
      const coming = page.waitForEvent('download');
      await ada.press('Download');
      await coming;
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Search or jump to' }).fill('checkout');
      await expect(page.getByRole('option').first()).toContainText('data-mark');
      await harmless('the palette');
    });
  } finally {
    await house.stop();
  }
  expect(asked, 'nobody was asked').toEqual([]);
});
