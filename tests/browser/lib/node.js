// A server process with a folder of its own, on a free port, stopped whatever happens.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';

const root = new URL('../../../', import.meta.url).pathname;

export function binary() {
  const found = [process.env.ROOKERY_BIN, join(root, 'target/debug/rookery'), join(root, 'target/release/rookery')].find((path) => path && existsSync(path));
  if (!found) throw new Error('no server: cargo build');
  return found;
}

let taken = 0;

/**
 * A port that nobody has, below those that the system gives to connections: one of those could be taken again before the
 * server listens. Processes that run at the same time begin at places of their own.
 */
export async function freePort() {
  for (;;) {
    const port = 10_000 + ((process.pid * 16 + taken++) % 20_000);
    const probe = createServer();
    const isFree = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}

const running = new Set();
process.on('exit', () => {
  for (const node of running) node.end();
});

export class Node {
  /** `config`: more of its settings file. */
  static async start(config = '') {
    const node = new Node();
    node.folder = mkdtempSync(join(tmpdir(), 'rookery-browser-'));
    node.port = await freePort();
    node.url = `http://127.0.0.1:${node.port}`;
    writeFileSync(join(node.folder, 'cluster.toml'), `${config}[limits]\nenabled = false\n`);
    running.add(node);
    await node.run();
    return node;
  }

  /** Starts the process and waits until it says that it serves. */
  run() {
    // Its settings are those of its folder, not of whoever runs this.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ROOKERY_')));
    Object.assign(env, { ROOKERY_VOICE_PORTS: '0', ROOKERY_VOICE_LISTEN: '127.0.0.1', ROOKERY_ADMIN_LISTEN: '' });
    const child = spawn(binary(), ['serve', '--listen', `127.0.0.1:${this.port}`], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    const log = (data) => appendFileSync(join(this.folder, 'log'), data);
    child.stderr.on('data', log);
    return new Promise((resolve, reject) => {
      child.stdout.on('data', (data) => {
        log(data);
        if (String(data).includes('ready')) resolve();
      });
      child.on('exit', (code) => reject(new Error(`the server ended with ${code}\n${this.log()}`)));
    });
  }

  /** Ends the process in order, or at once. */
  stop(signal = 'SIGTERM') {
    const { child } = this;
    return new Promise((resolve) => {
      child.removeAllListeners('exit');
      child.on('exit', resolve);
      child.kill(signal);
    });
  }

  log() {
    const path = join(this.folder, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  end() {
    if (!running.delete(this)) return;
    this.child?.removeAllListeners('exit');
    // What it still says has no folder to go to.
    for (const stream of [this.child?.stdout, this.child?.stderr]) stream?.removeAllListeners('data');
    this.child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A request to its API. */
  async api(method, path, token, body) {
    const response = await fetch(`${this.url}/api/v10${path}`, {
      method, headers: { ...(token && { Authorization: token }), ...(body !== undefined && { 'Content-Type': 'application/json' }) }, body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }

  /** A new account. */
  async register(username, global_name) {
    const { token, user_id } = await this.api('POST', '/auth/register', undefined, { username, global_name, password: 'correct horse' });
    return { username, global_name, token, id: user_id };
  }
}
