// The places that journeys walk through are all there are: the console's own list of addresses says so.
import { readFileSync } from 'node:fs';
import { places, nowhere } from '../house/places.ts';
import { expect, test } from '../house/test.ts';

const folder = new URL('../../app/src/pages/tests/snapshots/', import.meta.url);
const list = 'keywarden_app__pages__tests__doors__what_strangers_find_at_every_address.snap';
/** Addresses that have a page, their parameters by name: not those that only take posts and lead back to their button. */
const addresses = readFileSync(new URL(list, folder), 'utf8')
  .split('\n')
  .flatMap((line) => /^(\/\S*): GET (?!405|303 \/(?!sign-in))/.exec(line)?.[1] ?? []);

const parameters = [
  'binding', 'dialect', 'environment', 'file', 'id', 'label', 'link', 'number', 'purpose', 'rule', 'seal', 'share', 'slug', 'step', 'team', 'token', 'user', 'value',
];

/** Addresses without a place, and why. */
const exceptions: Record<string, string> = {
  '/access/grants/id/give-back': 'is there once somebody signed: access.spec.ts',
  '/access/grants/id/revoke': 'is there once somebody signed: access.spec.ts',
  '/access/requests/id/evidence': 'is a file',
  '/audit.csv': 'is a file',
  '/decisions/id': 'is about something that was refused: permissions.spec.ts',
  '/enrol': 'is open to who came in by a recovery code: coming-in.spec.ts',
  '/o/id': 'leads to another page',
  '/palette': 'is JSON for the palette',
  '/permissions.csv': 'is a file',
  '/recover/link': 'is made on the server\'s shell',
  '/secrets/import/file': 'stands for a file that somebody chose: import.spec.ts',
  '/setup/link': 'works in a house without an owner: first-key.spec.ts',
  '/shared/link': 'gives its value once, to whoever has the passphrase: share.spec.ts',
  '/sign-in': 'is for strangers: coming-in.spec.ts',
  '/step-up': 'begins a ceremony by itself: step-up.spec.ts',
  '/system/keys/hsm/number/destroy': 'stands after a rotation of the HSM key: encryption-keys.spec.ts',
  '/system/keys/offered/seal/number/destroy': 'needs a seal that the operator offers: project-seals.spec.ts',
  '/system/keys/offered/seal/rotate': 'needs a seal that the operator offers: project-seals.spec.ts',
};

/** Segments that are the same; undefined if the place is at another address. */
function shared(address: string, place: string): number | undefined {
  const [wanted, given] = [address, place].map((path) => path.split('/'));
  const fits = wanted.length === given.length && wanted.every((it, at) => it === given[at] || parameters.includes(it));
  return fits ? wanted.filter((it, at) => it === given[at]).length : undefined;
}

test('every page has a place', async ({ tenant, wasm }) => {
  test.skip(!wasm, 'the pages are the same without WebAssembly');
  const walked = places(tenant.estate).map((place) => {
    const path = place.split('?')[0];
    const fitting = addresses.filter((address) => shared(address, path) !== undefined);
    return fitting.sort((one, other) => shared(other, path)! - shared(one, path)!)[0];
  });
  const missed = addresses.filter((address) => !walked.includes(address));
  expect(missed).toEqual(Object.keys(exceptions));
});

test('every place is what it says', async ({ home, page, tenant, wasm }) => {
  test.skip(!wasm, 'the pages are the same without WebAssembly');
  for (const place of places(tenant.estate)) {
    const answer = await page.request.get(home.house.url + place, { maxRedirects: 0 });
    expect.soft(answer.status(), place).toBe(nowhere.includes(place) ? 404 : 200);
  }
});
