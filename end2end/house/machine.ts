// A service that speaks to Keywarden over HTTP with a token.
import { expect } from '@playwright/test';

/** What a verification answers, as far as journeys look at it. */
export type Verdict = { valid: boolean; code: string; superseded?: boolean; key_id?: string; scopes?: string[] };

export class Machine {
  constructor(
    readonly url: string,
    readonly token: string,
  ) {}

  get<Answer>(path: string): Promise<Answer> {
    return this.#ask('GET', path);
  }

  put<Answer = void>(path: string, body?: unknown): Promise<Answer> {
    return this.#ask('PUT', path, body);
  }

  post<Answer>(path: string, body: unknown): Promise<Answer> {
    return this.#ask('POST', path, body);
  }

  delete(path: string): Promise<void> {
    return this.#ask('DELETE', path);
  }

  verify(key: string, more: { scopes?: string[]; ip?: string; caller?: string } = {}): Promise<Verdict> {
    return this.post('/keys/verify', { key, ...more });
  }

  async #ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    expect(response.ok, `${method} ${path}: ${response.status} ${text}`).toBe(true);
    return text ? JSON.parse(text) : undefined;
  }
}
