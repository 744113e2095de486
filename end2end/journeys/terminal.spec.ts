// A terminal is let in by its person, does what they may, and is out with its session (RFC 8628).
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { expect, test } from '../house/test.ts';

/** What a command says, as it comes, and how it ends. */
class Said {
  text = '';
  readonly code: Promise<number>;

  constructor(command: ChildProcess) {
    for (const stream of [command.stdout, command.stderr]) {
      stream?.on('data', (text: Buffer) => (this.text += text.toString()));
    }
    this.code = once(command, 'close').then(([code]) => code as number);
  }
}

test('a terminal is let in by its person, and out with its session', async ({ accessible, house, owner, page }) => {
  const home = await mkdtemp(join(tmpdir(), 'keywarden-terminal-'));
  await owner.createProject('Terminals', 'terminals');
  const ask = (...command: string[]) => new Said(house.terminal(home, ...command));
  const login = ask('login', '--no-browser');
  const shown = /[B-Z]{4}-[B-Z]{4}(?=;)/;
  await expect.poll(() => login.text).toMatch(shown);
  const [code] = shown.exec(login.text)!;

  await page.goto('/device');
  await accessible();
  await owner.field('Code').fill('BBBB-BBBB');
  await owner.press('Continue');
  await expect(page.getByRole('main')).toContainText('No terminal waits with this code');
  await owner.field('Code').fill(code.toLowerCase());
  await owner.press('Continue');
  await expect(page.getByRole('main')).toContainText(`Let the terminal ${code} act as you?`);
  await accessible();
  await owner.press('Let it in');
  await owner.isAt('Your account');

  expect(await login.code, login.text).toBe(0);
  expect(login.text).toContain('is signed in until');
  const listed = ask('secret', 'list', 'terminals/live');
  await listed.code;
  expect(listed.text, 'it is somebody whom the server knows').not.toContain('keywarden login');

  const out = ask('logout');
  await out.code;
  expect(out.text).toContain('is signed out');
  const refused = ask('secret', 'list', 'terminals/live');
  expect(await refused.code).not.toBe(0);
  expect(refused.text).toContain('keywarden login');
  await rm(home, { recursive: true, force: true });
});
