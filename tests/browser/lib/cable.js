// A connection that can be cut: what goes through it is lost from one moment to the next, as when somebody enters a tunnel.
import { connect, createServer } from 'node:net';

export class Cable {
  #sockets = new Set();
  #isCut = false;

  /** To a server on this machine. */
  static async to(port) {
    const cable = new Cable();
    cable.server = createServer((near) => {
      if (cable.#isCut) return near.destroy();
      const far = connect(port, '127.0.0.1');
      for (const socket of [near, far]) {
        cable.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          cable.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    await new Promise((resolve) => cable.server.listen(0, '127.0.0.1', resolve));
    // A scenario that fails before it ends the cable must end, too.
    cable.server.unref();
    cable.url = `http://127.0.0.1:${cable.server.address().port}`;
    return cable;
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#isCut = false;
  }

  end() {
    this.cut();
    this.server.close();
  }
}
