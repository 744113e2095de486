// A clock that journeys put forward: see clock.c.
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('./clock.c', import.meta.url));

export class Clock {
  readonly #file: string;
  #ahead = 0;

  private constructor(file: string) {
    this.#file = file;
  }

  /** Begins this many days ago. */
  static async wind(folder: string, daysAgo = 0): Promise<Clock> {
    await mkdir(folder, { recursive: true });
    const clock = new Clock(join(folder, 'clock-ahead'));
    await writeFile(clock.#file, Buffer.alloc(8));
    clock.#ahead = -daysAgo * 86_400;
    await clock.#set();
    return clock;
  }

  /** What a server must be started with to go by this clock. */
  get env(): Record<string, string> {
    return { CLOCK_AHEAD: this.#file, LD_PRELOAD: library() };
  }

  /** What time it is for the server, which another journey may have put forward; milliseconds, as `Date.now()`. */
  now(): number {
    return Date.now() + this.#ahead * 1_000;
  }

  /** Lets time pass for the server. */
  async pass({ minutes = 0, hours = 0, days = 0 }): Promise<void> {
    this.#ahead += ((days * 24 + hours) * 60 + minutes) * 60;
    await this.#set();
  }

  /** In place: the server has the file mapped. */
  async #set(): Promise<void> {
    const seconds = Buffer.alloc(8);
    seconds.writeBigInt64LE(BigInt(this.#ahead));
    await writeFile(this.#file, seconds, { flag: 'r+' });
  }
}

/** Built once; Rust needs a C compiler to link with anyway. */
function library(): string {
  const built = join(process.cwd(), 'test-results', 'clock.so');
  if (!existsSync(built)) {
    const fresh = `${built}.${process.pid}`;
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', fresh, source, '-ldl']);
    renameSync(fresh, built);
  }
  return built;
}
