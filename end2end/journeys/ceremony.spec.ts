// The script of the passkey ceremonies by itself: what it sends, says and survives. The server is played here, so
// that it can answer as no server of ours would; ceremonies with a real one are part of other journeys.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, test as base, type Page } from '@playwright/test';
import { Authenticator } from '../house/authenticator.ts';

const script = await readFile(new URL('../../style/public/passkey.js', import.meta.url));
const policy =
  "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'; require-trusted-types-for 'script'";

type Posted = { path: string; body: Record<string, unknown> };
type Answer = { status?: number; json: unknown } | { redirect: string } | 'unreachable';

/** Plays a server with one form, and keeps what was posted to it. */
class Stage {
  readonly posted: Posted[] = [];
  /** By path, where the answer is not the usual one. */
  answers: Record<string, Answer | Promise<Answer>> = {};
  #form = '';

  private constructor(readonly page: Page, readonly site: string, readonly server: Server) {}

  static async build(page: Page): Promise<Stage> {
    const server = createServer(async (request, response) => {
      const path = request.url ?? '/';
      if (path === '/passkey.js') {
        response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
      } else if (request.method === 'POST') {
        stage.posted.push({ path, body: (await json(request)) as Posted['body'] });
        const answer = await (stage.answers[path] ?? stage.usual(path));
        if (answer === 'unreachable') request.socket.destroy();
        else if ('redirect' in answer) response.writeHead(303, { location: answer.redirect }).end();
        else response.writeHead(answer.status ?? 200).end(JSON.stringify(answer.json));
      } else {
        response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy });
        response.end(`<!doctype html><html lang="en"><title>Stage</title><link rel="icon" href="data:,">
          <script src="/passkey.js" defer></script><h1>${path}</h1>${path === '/' ? stage.#form : ''}`);
      }
    });
    server.listen(0, 'localhost');
    await once(server, 'listening');
    const stage = new Stage(page, `http://localhost:${(server.address() as AddressInfo).port}`, server);
    return stage;
  }

  async open(form: string): Promise<void> {
    this.#form = form;
    await this.page.goto(this.site);
  }

  /** Waits for another page of the site. */
  async arrives(path = '/done'): Promise<void> {
    await this.page.waitForURL(this.site + path);
  }

  usual(path: string): Answer {
    if (path === '/finish') return { json: { location: '/done' } };
    const publicKey = this.#form.includes('"create"') ? creation() : request();
    return { json: { ceremony: 'cer_1', publicKey } };
  }

  get alert() {
    return this.page.getByRole('alert');
  }

  get button() {
    return this.page.getByRole('button');
  }
}

const test = base.extend<{ authenticator: Authenticator; stage: Stage }>({
  authenticator: async ({ page }, use) => use(await Authenticator.attach(page)),
  stage: async ({ page }, use) => {
    const stage = await Stage.build(page);
    await use(stage);
    stage.server.closeAllConnections();
    stage.server.close();
  },
});

const challenge = () => randomBytes(32).toString('base64url');

const creation = () => ({
  rp: { id: 'localhost', name: 'Keywarden' },
  user: { id: Buffer.alloc(64, 7).toString('base64url'), name: 'ada@example.com', displayName: 'Ada' },
  challenge: challenge(),
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  extensions: { credProps: true },
});

const request = () => ({ rpId: 'localhost', challenge: challenge(), allowCredentials: [], userVerification: 'required' });

const form = (call: 'create' | 'get', attributes = '', fields = '') => `
  <form method="post" data-passkey="${call}" data-start="/start" data-finish="/finish" ${attributes}
    data-text-cancelled="Cancelled." data-text-registered="Registered." data-text-unsupported="Unsupported."
    data-text-insecure="Insecure." data-text-address="Address." data-text-offline="Offline." data-text-failed="Failed.">
    ${fields}<button>Go</button><p role="alert" hidden></p>
  </form>`;

test('a passkey is made, used, and told to the server with the fields that are not secret', async ({ authenticator, stage }) => {
  await stage.open(form('create', '', `
    <input name="name" value="Laptop"><input type="password" name="password" value="hunter2">
    <input name="code" value="1234" data-secret><input type="checkbox" name="scope" value="a" checked>
    <input type="checkbox" name="scope" value="b" checked><input type="hidden" name="ceremony" value="forged">`));
  await stage.button.click();
  await stage.arrives();
  const [start, finish] = stage.posted;
  expect(start).toEqual({ path: '/start', body: { name: 'Laptop', scope: ['a', 'b'], ceremony: 'forged' } });
  expect(finish.path).toBe('/finish');
  expect(finish.body).toMatchObject({
    name: 'Laptop',
    scope: ['a', 'b'],
    ceremony: 'cer_1',
    credential: { type: 'public-key', clientExtensionResults: { credProps: { rk: true } } },
  });
  expect(JSON.stringify(stage.posted)).not.toMatch(/hunter2|1234/);
  expect(await authenticator.credentials()).toHaveLength(1);

  await stage.open(form('get'));
  await stage.button.click();
  await stage.arrives();
  expect(stage.posted.at(-1)?.body.credential).toMatchObject({
    response: { userHandle: Buffer.alloc(64, 7).toString('base64url'), signature: expect.any(String) },
  });
});

test('a browser that does not know the JSON of WebAuthn sends the same', async ({ authenticator, page, stage }) => {
  const shapes: unknown[][] = [];
  for (const old of [false, true]) {
    if (old) {
      await page.addInitScript(() => {
        for (const name of ['parseCreationOptionsFromJSON', 'parseRequestOptionsFromJSON']) {
          Reflect.deleteProperty(PublicKeyCredential, name);
        }
        Reflect.deleteProperty(PublicKeyCredential.prototype, 'toJSON');
      });
    }
    const seen: unknown[] = [];
    for (const call of ['create', 'get'] as const) {
      await stage.open(form(call));
      await stage.button.click();
      await stage.arrives();
      const credential = stage.posted.at(-1)?.body.credential as Record<string, object>;
      // A newer browser adds conveniences that the server has no use for.
      const { publicKey, publicKeyAlgorithm, ...response } = credential.response as Record<string, unknown>;
      if (call === 'create') delete response.authenticatorData;
      seen.push({
        sameId: credential.id === credential.rawId,
        type: credential.type,
        parts: Object.keys(response).sort(),
        extensions: credential.clientExtensionResults,
      });
    }
    shapes.push(seen);
  }
  expect(shapes[1]).toEqual(shapes[0]);
  expect(await authenticator.credentials()).not.toEqual([]);
});

test('a double click begins one ceremony, and the button says that it is busy', async ({ authenticator, page, stage }) => {
  let release = (_: Answer) => {};
  stage.answers['/start'] = new Promise((resolve) => (release = resolve));
  await stage.open(form('create'));
  await stage.button.dblclick();
  await expect(stage.button).toBeDisabled();
  await expect(stage.button).toHaveAttribute('aria-busy', 'true');
  await page.locator('form').evaluate((element: HTMLFormElement) => element.requestSubmit());
  release(stage.usual('/start'));
  await stage.arrives();
  expect(stage.posted.map(({ path }) => path)).toEqual(['/start', '/finish']);
  expect(await authenticator.credentials()).toHaveLength(1);
});

test('whoever cancels, or holds the passkey already, reads so and can try again', async ({ authenticator, stage }) => {
  await authenticator.setUserVerified(false);
  await stage.open(form('create'));
  await stage.button.click();
  await expect(stage.alert).toHaveText('Cancelled.');
  await expect(stage.button).toBeEnabled();
  await expect(stage.button).not.toHaveAttribute('aria-busy');
  await expect(stage.button).toBeFocused();

  await authenticator.setUserVerified(true);
  await stage.button.click();
  await stage.arrives();
  const [{ credentialId }] = await authenticator.credentials();
  const id = Buffer.from(credentialId, 'base64').toString('base64url');
  const publicKey = { ...creation(), excludeCredentials: [{ type: 'public-key', id }] };
  stage.answers['/start'] = { json: { ceremony: 'cer_2', publicKey } };
  await stage.open(form('create'));
  await stage.button.click();
  await expect(stage.alert).toHaveText('Registered.');
});

test('what the server refuses is said in its words', async ({ authenticator, stage }) => {
  const asking = (changes: object) => ({ json: { ceremony: 'cer_1', publicKey: { ...creation(), ...changes } } });
  const cases: [string, Answer, string][] = [
    ['/start', { status: 429, json: { title: 'Slow down', detail: 'Try again in a minute.' } }, 'Try again in a minute.'],
    ['/start', { json: { error: '<b>No</b> such link.' } }, '<b>No</b> such link.'],
    ['/start', { status: 500, json: null }, 'Failed.'],
    ['/start', { json: {} }, 'Failed.'],
    ['/start', 'unreachable', 'Offline.'],
    ['/start', asking({ rp: { id: 'example.com', name: 'Example' } }), 'Address.'],
    ['/start', asking({ pubKeyCredParams: [{ type: 'password', alg: -7 }] }), 'Unsupported.'],
    ['/finish', { status: 422, json: { detail: 'The ceremony has expired.' } }, 'The ceremony has expired.'],
    ['/finish', { json: {} }, 'Failed.'],
  ];
  for (const [path, answer, text] of cases) {
    stage.answers = { [path]: answer };
    await stage.open(form('create'));
    await stage.button.click();
    await expect(stage.alert, JSON.stringify(answer)).toHaveText(text);
    await expect(stage.button).toBeEnabled();
  }
  expect(await authenticator.credentials(), 'made before the server refused it').toHaveLength(1);
});

test('the page goes nowhere but to a path of its own site', async ({ authenticator, page, stage }) => {
  const foreign = ['https://evil.example/', '//evil.example/', '/\\evil.example/', 'javascript:alert(1)', 'data:text/html,x'];
  for (const location of [...foreign, `blob:${stage.site}/x`]) {
    stage.answers['/finish'] = { json: { location } };
    await stage.open(form('create'));
    await stage.button.click();
    await expect(stage.alert, location).toHaveText('Failed.');
    expect(page.url()).toBe(`${stage.site}/`);
  }
  stage.answers = { '/start': { json: { location: '/elsewhere' } } };
  const before = await authenticator.credentials();
  await stage.button.click();
  await stage.arrives('/elsewhere');
  expect(await authenticator.credentials(), 'nobody was asked').toEqual(before);
});

test('whoever is sent to sign in gets there', async ({ stage }) => {
  stage.answers['/start'] = { redirect: '/sign-in' };
  await stage.open(form('get'));
  await stage.button.click();
  await stage.arrives('/sign-in');
});

test('a form that starts itself needs no click, and waits for one where the browser wants it', async ({ authenticator, page, stage }) => {
  // Every look that Playwright takes at a page counts as a click, so the page is told that there was none.
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'userActivation', { value: { hasBeenActive: false } });
    const create = navigator.credentials.create.bind(navigator.credentials);
    navigator.credentials.create = (options) =>
      create(options).catch((error) => {
        document.title = error.name;
        throw error;
      });
  });
  await authenticator.setUserVerified(false);
  await stage.open(form('create', 'data-autostart'));
  await expect(page).toHaveTitle('NotAllowedError');
  await expect(stage.button).toBeEnabled();
  await expect(stage.alert).toBeHidden();

  await authenticator.setUserVerified(true);
  await stage.open(form('create', 'data-autostart'));
  await stage.arrives();
});

test('a page that was left is not busy when somebody comes back', async ({ authenticator, page, stage }) => {
  stage.answers['/start'] = new Promise(() => {});
  await stage.open(form('create'));
  await stage.button.click();
  await expect(stage.button).toBeDisabled();
  // Playwright turns the back/forward cache off; this is what a page that comes out of it hears.
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await expect(stage.button).toBeEnabled();
  stage.answers = {};
  await stage.button.click();
  await stage.arrives();
  expect(await authenticator.credentials()).toHaveLength(1);
});

test('a browser without passkeys, or off a secure page, says so', async ({ page, stage }) => {
  await page.addInitScript(() => Reflect.deleteProperty(window, 'PublicKeyCredential'));
  await stage.open(form('get'));
  await stage.button.click();
  await expect(stage.alert).toHaveText('Unsupported.');

  await page.addInitScript(() => Object.defineProperty(window, 'isSecureContext', { value: false }));
  await stage.open(form('get'));
  await stage.button.click();
  await expect(stage.alert).toHaveText('Insecure.');
  expect(stage.posted).toEqual([]);
});
