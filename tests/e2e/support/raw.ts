// Requests that a decent HTTP client would not send, over a bare connection.
import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * Sends `head` and then up to `bodyBytes` bytes of body, and stops sending as soon as an answer comes, as careful
 * clients do. Answers what came back.
 */
export async function sendLargeBody(
  port: number,
  head: readonly string[],
  bodyBytes: number,
  withinMs = 20_000,
): Promise<RawAnswer> {
  const chunk = Buffer.alloc(16 * 1024, 'a');
  return new Promise((resolve, reject) => {
    let received = '';
    let sent = 0;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const timer = setTimeout(() => finish(new Error(`no answer within ${withinMs} ms after ${sent} bytes`)), withinMs);
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      const answer = parseAnswer(received);
      if (answer !== undefined) resolve(answer);
      else reject(error ?? new Error(`the connection ended after ${sent} bytes, without an answer: ${received}`));
    };
    const pump = (): void => {
      if (received !== '' || sent >= bodyBytes || socket.destroyed) return;
      // Never a byte more than was announced: it would be read as the start of a next request.
      const part = chunk.subarray(0, Math.min(chunk.length, bodyBytes - sent));
      sent += part.length;
      if (socket.write(part)) setImmediate(pump);
      else socket.once('drain', () => setImmediate(pump));
    };
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
      if (parseAnswer(received) !== undefined) finish();
    });
    socket.once('end', () => finish());
    socket.once('error', (error) => finish(error));
    socket.once('connect', () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      pump();
    });
  });
}

/** Everything that comes until the server ends the connection. */
export async function everythingTold(port: number, head: readonly string[]): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The first whole answer in what was received; answers with Content-Length only. */
export function parseAnswer(text: string): RawAnswer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = Buffer.from(text.slice(end + 4));
  const length = Number(headers['content-length'] ?? 0);
  if (body.length < length) return undefined;
  return { status: Number(statusLine.split(' ')[1]), headers, body: body.subarray(0, length).toString('utf8') };
}
