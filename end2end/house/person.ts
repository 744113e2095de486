// Somebody at the console: a page, the passkeys on their device, and the things that every journey does.
import { expect, type Locator, type Page } from '@playwright/test';
import type { Authenticator, Credential } from './authenticator.ts';

export class Person {
  constructor(
    readonly page: Page,
    readonly device: Authenticator,
  ) {}

  /** Opens a setup link, makes the organization and its first owner, and ends at the overview. */
  async setUp(link: string, organization: string, name: string): Promise<Credential> {
    await this.page.goto(link);
    await this.field('Organization').fill(organization);
    await this.field('Your name').fill(name);
    return this.enrol();
  }

  /** Opens an invitation and joins. */
  async join(link: string): Promise<Credential> {
    await this.page.goto(link);
    return this.enrol();
  }

  /** Makes the passkey of a newcomer's form; the recovery codes can wait. */
  async enrol(): Promise<Credential> {
    await this.page.getByRole('button', { name: 'Create passkey' }).click();
    await this.page.waitForURL('**/welcome');
    await this.page.getByRole('link', { name: 'Later' }).click();
    await this.isAt('Home');
    const [credential] = await this.device.credentials();
    return credential;
  }

  /** `at` is the house, where it is not the worker's own. */
  async signIn(at = ''): Promise<void> {
    await this.page.goto(`${at}/sign-in`);
    await this.page.getByRole('button', { name: 'Use passkey' }).click();
    await this.isAt('Home');
  }

  async signOut(): Promise<void> {
    await this.page.locator('.account > summary').filter({ visible: true }).click();
    await this.page.getByRole('button', { name: 'Sign out' }).click();
    await this.page.waitForURL('**/sign-in');
  }

  /** The page's heading: a page has one. */
  async isAt(title: string | RegExp): Promise<void> {
    await expect(this.page.getByRole('heading', { level: 1 })).toHaveText(title);
  }

  /** The page that asks for the passkey, after the ceremony that it began by itself has failed. */
  async isAskedInVain(): Promise<void> {
    await this.isAt('Show your passkey');
    await this.page.waitForLoadState('load'); // by then the ceremony has begun, and the button waits for its end
    await expect(this.page.getByRole('main').getByRole('button', { name: 'Use passkey' })).toBeEnabled();
  }

  /** Presses a button, or follows a link that looks like one, by its words. */
  async press(name: string): Promise<void> {
    const main = this.page.getByRole('main');
    await main.getByRole('button', { name, exact: true }).or(main.getByRole('link', { name, exact: true })).click();
  }

  /** A field of the page's form by its label, whether it must be filled in or not. */
  field(label: string): Locator {
    return this.page.getByRole('main').getByLabel(new RegExp(`^${label}( optional)?$`));
  }

  async createProject(name: string, slug: string): Promise<void> {
    await this.page.goto('/projects/new');
    await this.field('Name').fill(name);
    await this.field('Slug').fill(slug);
    await this.press('Create project');
    await this.isAt(name);
  }

  /** Issues a key with what the form suggests, and takes its value with them. */
  async issueKey(name: string, environment: string): Promise<string> {
    await this.page.goto('/keys/new');
    await this.field('Environment').selectOption({ label: environment });
    await this.field('Name').fill(name);
    await this.press('Issue key');
    return this.takeValue();
  }

  /** The value that a page shows this once. */
  async takeValue(): Promise<string> {
    return this.page.locator('#secret').inputValue();
  }
}
