// A passkey device that lives in the browser, driven over the DevTools protocol.
import type { CDPSession, Page } from '@playwright/test';

/** One passkey as the DevTools protocol hands it out, private key included. */
export type Credential = {
  credentialId: string;
  isResidentCredential: boolean;
  rpId?: string;
  privateKey: string;
  userHandle?: string;
  signCount: number;
};

export class Authenticator {
  readonly #session: CDPSession;
  readonly #id: string;

  private constructor(session: CDPSession, id: string) {
    this.#session = session;
    this.#id = id;
  }

  /** Plugs a platform authenticator into the page. It lives as long as the page does. */
  static async attach(page: Page): Promise<Authenticator> {
    const session = await page.context().newCDPSession(page);
    await session.send('WebAuthn.enable');
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return new Authenticator(session, authenticatorId);
  }

  /** The passkeys on the device; `add` carries one over to another page. */
  async credentials(): Promise<Credential[]> {
    const { credentials } = await this.#session.send('WebAuthn.getCredentials', { authenticatorId: this.#id });
    return credentials;
  }

  /** Counters only go up, whichever page had the passkey before: they begin with the time. */
  async add(passkey: Credential): Promise<void> {
    const signCount = Math.floor((Date.now() - Date.UTC(2026, 0)) / 100);
    const credential = { ...passkey, signCount };
    await this.#session.send('WebAuthn.addCredential', { authenticatorId: this.#id, credential });
  }

  /** Whether the person passes user verification (finger, face, PIN) from now on. */
  async setUserVerified(isUserVerified: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setUserVerified', { authenticatorId: this.#id, isUserVerified });
  }
}
