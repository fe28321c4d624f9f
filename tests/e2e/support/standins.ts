// What an edge stands in front of, small enough to be told what to do: nodes that record what reached them, and the
// part of Consul that tells where they are.
import { type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Reached {
  method: string;
  target: string;
  headers: IncomingHttpHeaders;
  body: string;
}

type Answering = (request: Reached, response: ServerResponse, socket: Socket) => void;

const fine: Answering = (_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end('{"fine":true}');
};

export class StandIn {
  readonly reached: Reached[] = [];
  /** What it does with a request that has come in whole. */
  answer: Answering = fine;
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly name: string,
    private server: Server,
    readonly port: number,
  ) {}

  static async start(name: string): Promise<StandIn> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const standIn = new StandIn(name, server, (server.address() as AddressInfo).port);
    standIn.attend(server);
    return standIn;
  }

  fine(): void {
    this.answer = fine;
    this.reached.length = 0;
  }

  /** Breaks every connection and listens no more, as a killed process does. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Listens again, on the same port. */
  async revive(): Promise<void> {
    this.server = createServer();
    this.attend(this.server);
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
  }

  private attend(server: Server): void {
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      request.once('end', () => {
        const reached = {
          method: request.method ?? '',
          target: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        };
        this.reached.push(reached);
        response.setHeader('x-served-by', this.name);
        this.answer(reached, response, request.socket);
      });
    });
    // As a WebSocket: what comes goes back.
    server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
      this.reached.push({ method: 'UPGRADE', target: request.url ?? '', headers: request.headers, body: '' });
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => socket.end());
    });
  }
}

interface Service {
  index: number;
  nodes: readonly { name: string; port: number; address?: string }[];
  waiting: Set<() => void>;
}

/** `GET /v1/health/service/tipflow-<role>` with blocking queries. */
export class FakeConsul {
  private readonly services = new Map<string, Service>();
  private index = 1;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeConsul> {
    const consul = new FakeConsul(createServer());
    consul.server.on('request', (request, response) => consul.respond(new URL(request.url ?? '', 'http://consul'), response));
    await new Promise<void>((resolve) => consul.server.listen(0, '127.0.0.1', resolve));
    return consul;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  set(role: string, nodes: Service['nodes']): void {
    const service = this.service(role);
    service.nodes = nodes;
    service.index = ++this.index;
    const waiting = [...service.waiting];
    service.waiting.clear();
    for (const wake of waiting) wake();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private service(role: string): Service {
    let service = this.services.get(role);
    if (service === undefined) this.services.set(role, (service = { index: 1, nodes: [], waiting: new Set() }));
    return service;
  }

  private respond(url: URL, response: ServerResponse): void {
    const role = url.pathname.replace('/v1/health/service/tipflow-', '');
    const service = this.service(role);
    const tell = (): void => {
      response.setHeader('X-Consul-Index', String(service.index));
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify(
          service.nodes.map(({ name, port, address }) => ({
            Node: {},
            Service: { Address: address ?? '127.0.0.1', Port: port, Meta: { node: name, version: '0' } },
            Checks: [],
          })),
        ),
      );
    };
    if (url.searchParams.get('index') === String(service.index)) service.waiting.add(tell);
    else tell();
  }
}
