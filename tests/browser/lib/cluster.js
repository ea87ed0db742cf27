// Several nodes over one database and one Redis, behind one address as behind a balancer.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:net';
import { Node, binary, freePort } from './node.js';

/** Where `with_mongod` says that its mongod is. */
const MONGO = process.env.ROOKERY_TEST_MONGO;

export class Cluster {
  nodes = [];
  #sockets = new Set();

  static async start(count) {
    if (!MONGO) throw new Error('no MongoDB: run it with target/debug/with_mongod');
    const cluster = new Cluster();
    cluster.folder = mkdtempSync(join(tmpdir(), 'rookery-cluster-'));
    const redis = await freePort();
    cluster.redis = spawn('redis-server', ['--port', String(redis), '--bind', '127.0.0.1', '--save', '', '--dir', cluster.folder], { stdio: 'ignore' });
    process.on('exit', () => cluster.redis.kill('SIGKILL'));
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ROOKERY_')));
    const command = (...words) => execFileSync(binary(), ['cluster', ...words, '--dir', cluster.folder], { cwd: cluster.folder, env, stdio: 'ignore' });
    command('init-ca');
    const database = `browser_${process.pid}_${Date.now()}`;
    const starting = [];
    for (let n = 0; n < count; n++) {
      command('issue', `n${n}`);
      const own = join(cluster.folder, `n${n}`);
      starting.push(Node.start(`node = "n${n}"\n[store]\nurl = "${MONGO}${database}"\n[ephemeral]\nurl = "redis://127.0.0.1:${redis}"\n` +
        `[cluster]\nlisten = "127.0.0.1:${await freePort()}"\nca = "${cluster.folder}/ca.pem"\ncert = "${own}.pem"\nkey = "${own}-key.pem"\n`));
    }
    const started = await Promise.allSettled(starting);
    cluster.nodes = started.filter(({ value }) => value).map(({ value }) => value);
    const failed = started.find(({ reason }) => reason);
    if (failed) {
      // Those that did start would keep this process from ending.
      cluster.end();
      throw failed.reason;
    }
    await cluster.#balance();
    return cluster;
  }

  /** Takes connections in turn to the nodes that are there. */
  async #balance() {
    let turn = 0;
    this.server = createServer((near) => {
      const tryNext = (left) => {
        if (!left) return near.destroy();
        const far = connect(this.nodes[turn++ % this.nodes.length].port, '127.0.0.1');
        far.once('error', () => tryNext(left - 1));
        far.once('connect', () => {
          for (const socket of [near, far]) {
            this.#sockets.add(socket);
            socket.on('error', () => {});
            socket.on('close', () => {
              near.destroy();
              far.destroy();
            });
          }
          near.pipe(far).pipe(near);
        });
      };
      near.on('error', () => {});
      tryNext(this.nodes.length);
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  api(...request) {
    return Node.prototype.api.apply(this, request);
  }

  register(...person) {
    return Node.prototype.register.apply(this, person);
  }

  end() {
    this.server?.close();
    for (const socket of this.#sockets) socket.destroy();
    for (const node of this.nodes) node.end();
    this.redis?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
