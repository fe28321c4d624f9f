// A WebSocket client written by hand: it can stop reading, send what no library would, and lose its connection.
import { createHash, randomBytes } from 'node:crypto';
import { type Socket, connect } from 'node:net';
import { waitFor } from './wait.ts';

export interface Upgrade {
  /** Behind the host: `/ws/rooms/7?token=…`. */
  path: string;
  headers?: Readonly<Record<string, string>>;
}

/** What came back instead of a WebSocket. */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A frame as a client sends it. `first`: FIN, reserved bits and opcode. */
export function frameOf(first: number, payload: Buffer | string, masked = true): Buffer {
  const body = Buffer.from(payload);
  const length =
    body.length < 126
      ? Buffer.from([body.length])
      : body.length < 65_536
        ? Buffer.from([126, body.length >> 8, body.length & 0xff])
        : Buffer.concat([Buffer.from([127, 0, 0, 0, 0]), Buffer.from(Uint32Array.of(body.length).buffer).reverse()]);
  if (!masked) return Buffer.concat([Buffer.from([first]), length, body]);
  const mask = randomBytes(4);
  length[0] = (length[0] as number) | 0x80;
  const hidden = Buffer.from(body.map((byte, i) => byte ^ (mask[i % 4] as number)));
  return Buffer.concat([Buffer.from([first]), length, mask, hidden]);
}

export const textFrame = (text: string): Buffer => frameOf(0x81, text);

export class WebSocketClient {
  /** All text messages so far, parsed. */
  readonly messages: Record<string, unknown>[] = [];
  pings = 0;
  /** The code of the close frame that came. */
  closeCode: number | undefined;
  /** Whether the connection is gone. */
  closed = false;
  protocol: string | undefined;
  private pending = Buffer.alloc(0);

  private constructor(readonly socket: Socket) {}

  /** Answers the connection once it is upgraded, or how it was refused. */
  static async open(port: number, { path, headers = {} }: Upgrade): Promise<WebSocketClient | Refusal> {
    const key = randomBytes(16).toString('base64');
    const socket = connect(port, '127.0.0.1');
    const lines = Object.entries({
      Host: `127.0.0.1:${port}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Version': '13',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    const { head, rest } = await readHead(socket);
    const [statusLine = '', ...fields] = head.split('\r\n');
    const status = Number(statusLine.split(' ')[1]);
    const answered = Object.fromEntries(
      fields.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    ) as Record<string, string>;
    if (status !== 101) {
      const body = await readBody(socket, rest, Number(answered['content-length'] ?? 0));
      socket.destroy();
      return { status, headers: answered, body: JSON.parse(body || '{}') as Record<string, unknown> };
    }
    const accept = createHash('sha1').update(key + guid).digest('base64');
    if (answered['sec-websocket-accept'] !== accept) throw new Error('the handshake is not answered as it must be');
    const client = new WebSocketClient(socket);
    client.protocol = answered['sec-websocket-protocol'];
    client.take(rest);
    socket.on('data', (bytes: Buffer) => client.take(bytes));
    socket.on('close', () => {
      client.closed = true;
    });
    socket.on('error', () => {
      client.closed = true;
    });
    return client;
  }

  /** The same, when it must be let in. */
  static async enter(port: number, upgrade: Upgrade): Promise<WebSocketClient> {
    const opened = await WebSocketClient.open(port, upgrade);
    if (opened instanceof WebSocketClient) return opened;
    throw new Error(`refused: ${opened.status} ${JSON.stringify(opened.body)}`);
  }

  sendRaw(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(message: object): void {
    this.sendRaw(textFrame(JSON.stringify(message)));
  }

  /** Messages of one type. */
  of(type: string): Record<string, unknown>[] {
    return this.messages.filter((message) => message['type'] === type);
  }

  async next(type: string, withinMs = 10_000): Promise<Record<string, unknown>> {
    return waitFor(`a message of type ${type}`, () => this.of(type)[0], { withinMs });
  }

  /** All events that came, in order. */
  get events(): Record<string, unknown>[] {
    return this.of('events').flatMap((frame) => frame['events'] as Record<string, unknown>[]);
  }

  eventsOf(kind: string): Record<string, unknown>[] {
    return this.events.filter((event) => event['kind'] === kind);
  }

  /** Loses the connection, without a word. */
  drop(): void {
    this.socket.destroy();
  }

  private take(bytes: Buffer): void {
    this.pending = Buffer.concat([this.pending, bytes]);
    for (;;) {
      const frame = readFrame(this.pending);
      if (frame === undefined) return;
      this.pending = this.pending.subarray(frame.size);
      if (frame.opcode === 1) this.messages.push(JSON.parse(frame.payload.toString('utf8')) as Record<string, unknown>);
      if (frame.opcode === 8) this.closeCode = frame.payload.readUInt16BE(0);
      if (frame.opcode === 9) {
        this.pings += 1;
        this.sendRaw(frameOf(0x8a, frame.payload));
      }
    }
  }
}

function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] as number) & 0x7f;
  const start = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < start) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < start + length) return undefined;
  return { opcode: (bytes[0] as number) & 0x0f, payload: bytes.subarray(start, start + length), size: start + length };
}

async function readHead(socket: Socket): Promise<{ head: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0);
    const onData = (bytes: Buffer): void => {
      read = Buffer.concat([read, bytes]);
      const end = read.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', onData);
      socket.off('error', reject);
      socket.off('end', onEnd);
      resolve({ head: read.subarray(0, end).toString('latin1'), rest: read.subarray(end + 4) });
    };
    const onEnd = (): void => reject(new Error('the connection ended before it was answered'));
    socket.on('data', onData);
    socket.on('error', reject);
    socket.on('end', onEnd);
  });
}

async function readBody(socket: Socket, rest: Buffer, length: number): Promise<string> {
  let read = rest;
  socket.on('data', (bytes: Buffer) => {
    read = Buffer.concat([read, bytes]);
  });
  await waitFor('the rest of the answer', () => read.length >= length);
  return read.subarray(0, length).toString('utf8');
}
