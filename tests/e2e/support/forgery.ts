// What an attacker makes: tokens with parts of his own, requests with any target line, signatures of nodes.
import { createHash, createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { type RawAnswer, parseAnswer } from './raw.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;

/** The token with another header and payload; the signature stays, or is made anew. */
export function reforged(
  token: string,
  header: Record<string, unknown>,
  payload: Record<string, unknown>,
  sign?: (text: string) => string,
): string {
  const [oldHeader, oldPayload, signature] = token.split('.');
  const text = `${encode({ ...decode(oldHeader), ...header })}.${encode({ ...decode(oldPayload), ...payload })}`;
  return `${text}.${sign === undefined ? signature : sign(text)}`;
}

/** Sends a request as it is written here, whatever a decent client would make of it. */
export async function sendRaw(port: number, lines: readonly string[], body = '', withinMs = 10_000): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect({ port, host: '127.0.0.1' });
    const timer = setTimeout(() => finish(new Error(`no answer within ${withinMs} ms to ${lines[0]}`)), withinMs);
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      const answer = parseAnswer(received);
      if (answer !== undefined) resolve(answer);
      else reject(error ?? new Error(`the connection ended without an answer to ${lines[0]}: ${received}`));
    };
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
      if (parseAnswer(received) !== undefined) finish();
    });
    socket.once('end', () => finish());
    socket.once('error', (error) => finish(error));
    socket.once('connect', () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`));
  });
}

export interface NodeRequest {
  node: string;
  method: string;
  target: string;
  timestampMs: number;
  body: string;
}

/** The headers with which a node that holds `key` (hex) proves a request. */
export function nodeHeaders(key: string, { node, method, target, timestampMs, body }: NodeRequest): Record<string, string> {
  const digest = createHash('sha256').update(body).digest('hex');
  const text = ['tipflow node', node, method, target, String(timestampMs), digest].join('\n');
  return {
    'X-Tipflow-Node': node,
    'X-Tipflow-Timestamp': String(timestampMs),
    'X-Tipflow-Node-Signature': `n1=${createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex')}`,
  };
}
