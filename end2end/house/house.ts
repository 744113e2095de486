// A Keywarden server with an empty database, on a port of its own, stopped and swept away afterwards.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Clock } from './clock.ts';

const run = promisify(execFile);

export class House {
  /** Where browsers find it: `http://localhost:<port>`. */
  readonly url: string;
  readonly dataDir: string;
  /** The one-time link that makes the first owner. */
  readonly setupLink: string;
  /** The server's clock. */
  readonly clock: Clock;
  readonly #server: ChildProcess;
  readonly #database: Database | undefined;
  /** What may wait for somebody who never comes. */
  readonly #terminals: ChildProcess[] = [];

  private constructor(
    url: string,
    dataDir: string,
    setupLink: string,
    clock: Clock,
    server: ChildProcess,
    database?: Database,
  ) {
    this.url = url;
    this.dataDir = dataDir;
    this.setupLink = setupLink;
    this.clock = clock;
    this.#server = server;
    this.#database = database;
  }

  /** `name` tells the houses of one run apart; the server's clock begins `daysAgo`; `settings` may name files in its folder. */
  static async start(
    name: string,
    daysAgo = 0,
    settings: (dataDir: string) => Record<string, string> = () => ({}),
  ): Promise<House> {
    const dataDir = await mkdtemp(join(tmpdir(), 'keywarden-e2e-'));
    const database = await Database.create(`keywarden_e2e_${process.pid}_${name}`);
    const url = `http://localhost:${await freePort()}`;

    await mkdir('test-results', { recursive: true });
    const log = createWriteStream(`test-results/keywarden-${name}.log`);
    await once(log, 'open');
    const clock = await Clock.wind(dataDir, daysAgo);
    const server = spawn(binary(), ['serve'], {
      cwd: dataDir,
      env: {
        ...withoutKeywarden(process.env),
        ...clock.env,
        KEYWARDEN_DATA_DIR: dataDir,
        KEYWARDEN_LISTEN: `127.0.0.1:${new URL(url).port}`,
        KEYWARDEN_METRICS_LISTEN: `127.0.0.1:${await freePort()}`,
        KEYWARDEN_PUBLIC_URL: url,
        ...(database && { KEYWARDEN_DATABASE_URL: database.url }),
        ...settings(dataDir),
      },
      stdio: ['ignore', log, log],
    });

    try {
      await ready(server, url, log.path.toString());
      const setupLink = await appears(join(dataDir, 'setup-link'));
      return new House(url, dataDir, setupLink, clock, server, database);
    } catch (error) {
      await sweep(server, dataDir, database);
      throw error;
    }
  }

  /** What the operator's shell on the server prints: `house.operator('token', '--role', 'admin')`. */
  operator(...command: string[]): Promise<string> {
    return this.shell('operator', ...command);
  }

  /** What a command on the server's shell prints: `house.shell('seal', 'list')`. */
  async shell(...command: string[]): Promise<string> {
    const env = { ...withoutKeywarden(process.env), KEYWARDEN_DATA_DIR: this.dataDir };
    const { stdout } = await run(binary(), command, { cwd: this.dataDir, env });
    return stdout.trim();
  }

  /** A command of the client at somebody's terminal, whose files lie in `home`. */
  terminal(home: string, ...command: string[]): ChildProcess {
    const { PATH } = process.env;
    const env = { PATH, ...this.clock.env, KEYWARDEN_SERVER: this.url, XDG_STATE_HOME: join(home, 'state') };
    const started = spawn(binary(), command, { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#terminals.push(started);
    return started;
  }

  async stop(): Promise<void> {
    this.#terminals.forEach((terminal) => terminal.kill());
    await sweep(this.#server, this.dataDir, this.#database);
  }
}

function binary(): string {
  return setting('KEYWARDEN_E2E_BINARY');
}

/** A database of the server's own, where the journeys run on PostgreSQL. */
class Database {
  readonly url: string;
  readonly #name: string;
  readonly #cluster: string;

  private constructor(cluster: string, name: string) {
    const url = new URL(cluster);
    url.pathname = `/${name}`;
    this.url = url.href;
    this.#name = name;
    this.#cluster = cluster;
  }

  static async create(name: string): Promise<Database | undefined> {
    if (setting('KEYWARDEN_E2E_ENGINE', 'sqlite') !== 'postgres') {
      return undefined;
    }
    const database = new Database(setting('KEYWARDEN_TEST_POSTGRES'), name);
    await database.#tell(`CREATE DATABASE ${name}`);
    return database;
  }

  async drop(): Promise<void> {
    await this.#tell(`DROP DATABASE IF EXISTS ${this.#name} WITH (FORCE)`);
  }

  async #tell(statement: string): Promise<void> {
    await run('psql', ['--no-psqlrc', '--quiet', '--dbname', this.#cluster, '--command', statement]);
  }
}

async function ready(server: ChildProcess, url: string, log: string): Promise<void> {
  for (const patience = Date.now() + 30_000; Date.now() < patience; await sleep(50)) {
    if (server.exitCode !== null || server.signalCode !== null) {
      throw new Error(`keywarden ended instead of starting:\n${await readFile(log, 'utf8')}`);
    }
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) {
      return;
    }
  }
  throw new Error(`keywarden is not ready after 30 s:\n${await readFile(log, 'utf8')}`);
}

/** The link is written right after the server is ready. */
async function appears(path: string): Promise<string> {
  for (const patience = Date.now() + 10_000; Date.now() < patience; await sleep(50)) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.endsWith('\n')) {
      return text.trim();
    }
  }
  throw new Error(`${path} did not appear within 10 s`);
}

async function sweep(server: ChildProcess, dataDir: string, database?: Database): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    const impatience = setTimeout(() => server.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(impatience);
  }
  await database?.drop();
  await rm(dataDir, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

function setting(name: string, otherwise?: string): string {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) {
    throw new Error(`${name} is not set: run the journeys with .ci/journeys`);
  }
  return value;
}

/** The settings of whoever runs the tests stay outside. */
function withoutKeywarden(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('KEYWARDEN_')));
}
