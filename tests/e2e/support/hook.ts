// The server of somebody who wants to hear of alerts: keeps what it was told, and can be made to fail.
import { createHmac } from 'node:crypto';
import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import type { Alert } from './alerts.ts';
import { waitFor } from './wait.ts';

export interface News {
  event: Alert['state'];
  alert: Alert;
}

interface Told {
  headers: IncomingHttpHeaders;
  body: string;
}

export class Hook {
  readonly told: Told[] = [];
  /** What it answers with; nothing when there is none. */
  status: number | undefined = 204;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<Hook> {
    let hook: Hook | undefined;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        hook?.told.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        if (hook?.status !== undefined) response.writeHead(hook.status).end();
      });
    });
    const url = await new Promise<string>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(`http://127.0.0.1:${address.port}/alerts?from=tipflow`);
      });
    });
    hook = new Hook(server, url);
    return hook;
  }

  /** Waits until it was told of an event of an alert. */
  async hears(id: number, event: News['event']): Promise<Told> {
    return waitFor(`the webhook hears that alert ${id} is ${event}`, async () =>
      this.told.find(({ body }) => {
        const news = JSON.parse(body) as News;
        return news.event === event && news.alert.id === id;
      }),
    );
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What the signature of a post must be. */
export function signatureOf({ headers, body }: Told, secret: string): string {
  const timestamp = String(headers['x-tipflow-timestamp']);
  return `v1=${createHmac('sha256', secret).update(`${timestamp}\n${body}`).digest('hex')}`;
}
