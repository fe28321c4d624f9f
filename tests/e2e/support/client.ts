// A typed client of the public API. Signs what it sends, keeps connections open, turns problem documents into errors.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import type {
  Anchor,
  Balance,
  BatchResult,
  BatchTip,
  FieldError,
  GuestSession,
  Journey,
  NewTip,
  Page,
  Problem,
  Reconciliation,
  Room,
  RoomSession,
  ShareRate,
  ShareRateEntry,
  Statement,
  Tip,
  TipReceipt,
  Viewer,
  Withdrawal,
} from './model.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Kind = 'anchor' | 'viewer' | 'operator';

export interface Session {
  token: string;
  expiresAt: string;
  signingKey: string;
  kind: Kind;
  id: number;
  role: string;
}

export interface Answer<T = unknown> {
  status: number;
  headers: IncomingHttpHeaders;
  body: T;
  bytes: Buffer;
  /** The local port of the connection that carried it. */
  localPort: number;
}

/** How a request is signed; each part can be set wrong on purpose. */
export interface SignatureOptions {
  timestampMs?: number;
  nonce?: string;
  key?: string;
  /** What the signature is computed over, when it differs from what is sent. */
  body?: Buffer;
  target?: string;
  method?: string;
}

export interface CallOptions {
  query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, instead of `json`. */
  raw?: Buffer | string;
  headers?: OutgoingHttpHeaders;
  /** `false` sends no signature; the default signs everything that changes something when there is a key. */
  sign?: false | SignatureOptions;
  timeoutMs?: number;
}

/** An answer that is not a success, with the problem document that explains it. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(
    readonly method: string,
    readonly path: string,
    readonly answer: Answer,
  ) {
    super(`${method} ${path}: ${answer.status} ${answer.bytes.toString('utf8').slice(0, 500)}`);
    this.name = 'ApiError';
    this.problem = (answer.body ?? {}) as Problem;
  }

  get status(): number {
    return this.answer.status;
  }

  get code(): string {
    return this.problem.code;
  }

  get errors(): FieldError[] {
    return this.problem.errors ?? [];
  }
}

/** The connection broke or the answer never came: whether the request was done is unknown. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  /** `stale`: it was sent on a connection that had been used before, and that the server was just closing. */
  constructor(
    message: string,
    readonly stale = false,
  ) {
    super(message);
  }
}

/** One exchange as an observer sees it. */
export interface Exchange {
  method: Method;
  /** Path without the query. */
  path: string;
  answer: Answer;
}

export type Observer = (exchange: Exchange) => void;

const api = '/api/v1';

export class Client {
  private static readonly observers = new Set<Observer>();

  constructor(
    readonly baseUrl: string,
    readonly session?: Session,
    private readonly agent: Agent = new Agent({ keepAlive: true, maxSockets: 16 }),
  ) {}

  /** Shows every exchange of every client to `observer` until the returned function is called. */
  static observe(observer: Observer): () => void {
    Client.observers.add(observer);
    return () => Client.observers.delete(observer);
  }

  as(session: Session): Client {
    return new Client(this.baseUrl, session, this.agent);
  }

  anonymous(): Client {
    return new Client(this.baseUrl, undefined, this.agent);
  }

  /** The same session on connections of its own, up to `connections` of them. */
  withConnections(connections: number): Client {
    return new Client(this.baseUrl, this.session, new Agent({ keepAlive: true, maxSockets: connections }));
  }

  close(): void {
    this.agent.destroy();
  }

  /** The caller's id: an anchor's, a viewer's or an operator's. */
  get id(): number {
    if (this.session === undefined) throw new Error('this client has no session');
    return this.session.id;
  }

  /** Sends a request and answers whatever comes back, success or not. `path` is absolute, `/api/v1` included. */
  async call<T = unknown>(method: Method, path: string, options: CallOptions = {}): Promise<Answer<T>> {
    const target = withQuery(path, options.query);
    const body = bodyOf(options);
    const headers: OutgoingHttpHeaders = { accept: 'application/json, application/problem+json' };
    if (body.length > 0) headers['content-type'] = 'application/json';
    if (body.length > 0 || method !== 'GET') headers['content-length'] = body.length;
    if (this.session !== undefined) headers['authorization'] = `Bearer ${this.session.token}`;
    if (options.sign !== false && method !== 'GET') {
      Object.assign(headers, this.signatureOf(method, target, body, options.sign ?? {}));
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value === undefined) delete headers[name];
      else headers[name] = value;
    }
    const answer = await this.send<T>(method, target, headers, body, options.timeoutMs ?? 30_000);
    for (const observer of Client.observers) observer({ method, path, answer });
    return answer;
  }

  /** Sends a request under `/api/v1`; an answer that is not a success is thrown. */
  async ask<T>(method: Method, path: string, options: CallOptions = {}): Promise<Answer<T>> {
    const answer = await this.call<T>(method, api + path, options);
    if (answer.status < 200 || answer.status >= 300) throw new ApiError(method, api + path, answer);
    return answer;
  }

  /** The headers that prove a request: see the signature in the security design. */
  signatureOf(method: string, target: string, body: Buffer, options: SignatureOptions): OutgoingHttpHeaders {
    const key = options.key ?? this.session?.signingKey;
    if (key === undefined) return {};
    const timestamp = String(options.timestampMs ?? Date.now());
    const nonce = options.nonce ?? randomBytes(16).toString('base64url');
    const digest = createHash('sha256')
      .update(options.body ?? body)
      .digest('hex');
    const message = [options.method ?? method, options.target ?? target, timestamp, nonce, digest].join('\n');
    const signature = createHmac('sha256', Buffer.from(key, 'base64url')).update(message).digest('hex');
    return {
      'x-tipflow-timestamp': timestamp,
      'x-tipflow-nonce': nonce,
      'x-tipflow-signature': `v1=${signature}`,
    };
  }

  /** Opens `count` connections and leaves them idle, so that the next requests start at the same instant. */
  async warmUp(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.call('GET', '/livez')));
  }

  // Sessions

  async login(kind: Kind, name: string, password: string): Promise<Session> {
    const { body } = await this.ask<Session>('POST', '/auth/login', { json: { kind, name, password } });
    return body;
  }

  async logout(): Promise<void> {
    await this.ask('POST', '/auth/logout');
  }

  // Anchors and rooms

  async createAnchor(anchor: object): Promise<Anchor> {
    return (await this.ask<Anchor>('POST', '/anchors', { json: anchor })).body;
  }

  async anchor(id: number): Promise<Anchor> {
    return (await this.ask<Anchor>('GET', `/anchors/${id}`)).body;
  }

  async room(id: number): Promise<Room> {
    return (await this.ask<Room>('GET', `/rooms/${id}`)).body;
  }

  async openRoom(id: number): Promise<Room> {
    return (await this.ask<Room>('POST', `/rooms/${id}/open`)).body;
  }

  async closeRoom(id: number): Promise<Room> {
    return (await this.ask<Room>('POST', `/rooms/${id}/close`)).body;
  }

  async roomSessions(id: number): Promise<Page<RoomSession>> {
    return (await this.ask<Page<RoomSession>>('GET', `/rooms/${id}/sessions`)).body;
  }

  // Viewers and tips

  async createViewer(viewer: object): Promise<Viewer> {
    return (await this.ask<Viewer>('POST', '/viewers', { json: viewer })).body;
  }

  async createGuest(): Promise<GuestSession> {
    return (await this.ask<GuestSession>('POST', '/viewers/guests', { json: {} })).body;
  }

  async viewer(id: number): Promise<Viewer> {
    return (await this.ask<Viewer>('GET', `/viewers/${id}`)).body;
  }

  /** Sends a tip; the answer's status is 201 or 200. */
  async sendTip(tip: NewTip, options: CallOptions = {}): Promise<Answer<TipReceipt>> {
    return this.ask<TipReceipt>('POST', '/tips', { json: tip, ...options });
  }

  async tip(traceId: string): Promise<Tip> {
    return (await this.ask<Tip>('GET', `/tips/${traceId}`)).body;
  }

  async journey(traceId: string): Promise<Journey> {
    return (await this.ask<Journey>('GET', `/tips/${traceId}/journey`)).body;
  }

  async tips(query: NonNullable<CallOptions['query']> = {}): Promise<Page<Tip>> {
    return (await this.ask<Page<Tip>>('GET', '/tips', { query })).body;
  }

  /** Every tip that matches, page by page. */
  async allTips(query: NonNullable<CallOptions['query']> = {}): Promise<Tip[]> {
    return this.allPages<Tip>('/tips', query);
  }

  async allPages<T>(path: string, query: NonNullable<CallOptions['query']> = {}): Promise<T[]> {
    const items: T[] = [];
    let pageToken: string | undefined;
    do {
      const { body } = await this.ask<Page<T>>('GET', path, { query: { pageSize: 100, ...query, pageToken } });
      items.push(...body.items);
      pageToken = body.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    return items;
  }

  async sendBatch(tips: readonly BatchTip[]): Promise<BatchResult[]> {
    return (await this.ask<{ results: BatchResult[] }>('POST', '/tips/batch', { json: { tips } })).body.results;
  }

  // Finance

  async balance(anchorId: number): Promise<Balance> {
    return (await this.ask<Balance>('GET', `/finance/anchors/${anchorId}/balance`)).body;
  }

  async setShareRate(anchorId: number, rate: { shareBp: number; effectiveFrom?: string }): Promise<ShareRate> {
    return (await this.ask<ShareRate>('POST', `/finance/anchors/${anchorId}/share-rates`, { json: rate })).body;
  }

  async shareRates(anchorId: number): Promise<ShareRateEntry[]> {
    return this.allPages<ShareRateEntry>(`/finance/anchors/${anchorId}/share-rates`);
  }

  async withdraw(
    anchorId: number,
    request: { traceId: string; amount: number },
    options: CallOptions = {},
  ): Promise<Answer<Withdrawal>> {
    return this.ask<Withdrawal>('POST', `/finance/anchors/${anchorId}/withdrawals`, { json: request, ...options });
  }

  async withdrawal(traceId: string): Promise<Withdrawal> {
    return (await this.ask<Withdrawal>('GET', `/finance/withdrawals/${traceId}`)).body;
  }

  async withdrawals(anchorId: number): Promise<Withdrawal[]> {
    return this.allPages<Withdrawal>(`/finance/anchors/${anchorId}/withdrawals`);
  }

  async statement(anchorId: number, range: { from: string; to: string }): Promise<Statement> {
    return (await this.ask<Statement>('GET', `/finance/anchors/${anchorId}/statement`, { query: range })).body;
  }

  async reconciliation(): Promise<Reconciliation> {
    return (await this.ask<Reconciliation>('GET', '/finance/reconciliation')).body;
  }

  async setSandbox(mode: 'pay' | 'reject' | 'timeout' | 'pay_then_timeout'): Promise<void> {
    await this.ask('PUT', '/finance/sandbox', { json: { mode } });
  }

  private async send<T>(
    method: Method,
    target: string,
    headers: OutgoingHttpHeaders,
    body: Buffer,
    timeoutMs: number,
  ): Promise<Answer<T>> {
    const url = new URL(this.baseUrl);
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(new NoAnswer(`${method} ${target}: ${error.message}`));
      const outgoing = httpRequest(
        { host: url.hostname, port: url.port, method, path: target, headers, agent: this.agent },
        (incoming) => {
          const localPort = incoming.socket.localPort ?? 0;
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', fail);
          incoming.once('end', () => {
            clearTimeout(timer);
            const bytes = Buffer.concat(chunks);
            const type = incoming.headers['content-type'] ?? '';
            try {
              resolve({
                status: incoming.statusCode ?? 0,
                headers: incoming.headers,
                body: (/\bjson\b/.test(type) && bytes.length > 0 ? JSON.parse(bytes.toString('utf8')) : undefined) as T,
                bytes,
                localPort,
              });
            } catch (error) {
              reject(new Error(`${method} ${target}: the answer is not JSON: ${String(error)}`));
            }
          });
        },
      );
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      outgoing.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        const closed = error.code === 'ECONNRESET' || error.code === 'EPIPE';
        reject(new NoAnswer(`${method} ${target}: ${error.message}`, outgoing.reusedSocket && closed));
      });
      outgoing.end(body);
    });
  }
}

function withQuery(path: string, query: CallOptions['query']): string {
  const parts = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (parts.length === 0) return path;
  return `${path}?${parts.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`;
}

function bodyOf(options: CallOptions): Buffer {
  if (options.raw !== undefined) return Buffer.from(options.raw);
  return options.json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(options.json));
}
