// What people hear who do not see: the form that issues a key, the same form refused, and the page that shows the value once
// (the bar U-03).
import { spoken } from '../house/spoken.ts';
import { expect, test } from '../house/test.ts';

test.beforeEach(({ wasm }) => {
  test.skip(!wasm, 'the pages are the same without WebAssembly');
});

test('what a screen reader says while a key is issued', async ({ home, page, tenant }) => {
  const { person } = tenant;
  await page.goto(`${home.house.url}/keys/new`);
  expect(await spoken(page, 'main')).toMatchSnapshot('issue.txt');

  await person.field('Environment').selectOption({ label: 'Payments / Production' });
  await person.press('Issue key');
  const refused = await spoken(page, 'main');
  expect(refused).toMatchSnapshot('refused.txt');

  await person.field('Name').fill('heard');
  await person.press('Issue key');
  const value = await person.takeValue();
  const shown = await spoken(page, 'main');
  expect(shown.replaceAll(value, '(value)')).not.toContain('kwk_live_');
});
