// A TCP proxy between a node and its database, to take the database away: at once, or by holding its answers back.
import { type Server, type Socket, connect, createServer } from 'node:net';

/** When a connection breaks, seen from the statement that it carries. */
export const cutMoments = ['before', 'inside', 'sent', 'answered'] as const;
export type Cut = (typeof cutMoments)[number];

export class Proxy {
  private readonly connections = new Set<{ client: Socket; server: Socket }>();
  private away = false;
  private holding = false;
  private statement: RegExp | undefined;
  private decide: () => Cut | undefined = () => undefined;

  private constructor(
    private readonly listener: Server,
    readonly port: number,
  ) {}

  static async start(targetPort: number): Promise<Proxy> {
    let proxy: Proxy | undefined;
    const listener = createServer((client) => {
      if (proxy === undefined || proxy.away) client.destroy();
      else proxy.join(client, targetPort);
    });
    const port = await new Promise<number>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(0, '127.0.0.1', () => {
        const address = listener.address();
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
    proxy = new Proxy(listener, port);
    return proxy;
  }

  /** Breaks every connection and takes no new one. */
  cut(): void {
    this.away = true;
    this.breakAll();
  }

  /** Lets what the node sends pass, and keeps back what the database answers. */
  holdAnswers(): void {
    this.holding = true;
    for (const { server } of this.connections) server.pause();
  }

  /** Everything passes again; connections whose answers were held are broken. */
  heal(): void {
    if (this.holding) this.breakAll();
    this.holding = false;
    this.away = false;
  }

  /** Asks `decide` at each statement of the node that matches whether its connection breaks now, and when. */
  cutAround(statement: RegExp, decide: () => Cut | undefined): void {
    this.statement = statement;
    this.decide = decide;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.listener.close(resolve));
  }

  private breakAll(): void {
    for (const { client, server } of this.connections) {
      client.destroy();
      server.destroy();
    }
    this.connections.clear();
  }

  private join(client: Socket, targetPort: number): void {
    const server = connect({ port: targetPort, host: '127.0.0.1' });
    const pair = { client, server };
    this.connections.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    const end = (): void => {
      this.connections.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.once('error', end).once('close', end);
    client.on('data', (bytes) => {
      const cut = this.statement?.test(bytes.toString('latin1')) === true ? this.decide() : undefined;
      if (cut === undefined) server.write(bytes);
      else if (cut === 'before') end();
      else if (cut === 'inside') server.write(bytes.subarray(0, bytes.length / 2), end);
      else if (cut === 'sent') server.write(bytes, end);
      else {
        server.removeAllListeners('data').once('data', end);
        server.write(bytes);
      }
    });
    server.on('data', (bytes) => client.write(bytes));
    if (this.holding) server.pause();
  }
}
