import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A door to a service that can be shut, and opened again. */
export interface Door {
  /** The service's URL, through the door. */
  readonly url: string;
  readonly shut: () => void;
  readonly open: () => void;
  readonly close: () => void;
}

export async function proxyTo(url: string): Promise<Door> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((socket) => {
    if (!isOpen) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    const upstream = connect(Number(target.port), target.hostname);
    socket.pipe(upstream).pipe(socket);
    for (const end of [socket, upstream]) {
      end.on('error', () => end.destroy());
      end.on('close', () => {
        sockets.delete(socket);
        socket.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxied = new URL(url);
  proxied.port = String((server.address() as AddressInfo).port);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: proxied.href,
    shut() {
      isOpen = false;
      cut();
    },
    open() {
      isOpen = true;
    },
    close() {
      cut();
      server.close();
    },
  };
}
