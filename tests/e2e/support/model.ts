// The shapes of the public contract (api/openapi.yaml) that the tests use.

export interface FieldError {
  field: string;
  code: string;
  detail: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  traceId: string;
  errors?: FieldError[];
}

export interface Page<T> {
  items: T[];
  nextPageToken: string | null;
}

export type Gender = 'male' | 'female' | 'unknown';

export interface Anchor {
  id: number;
  name: string;
  gender: Gender;
  age: number;
  region: string | null;
  tags: string[];
  /** Null while finance cannot be asked. */
  shareBp: number | null;
  roomId: number;
  createdAt: string;
}

export interface Room {
  id: number;
  anchorId: number;
  anchorName: string;
  title: string;
  category: string | null;
  tags: string[];
  state: 'off' | 'live' | 'banned';
  sessionId: number | null;
  viewers: number;
  revenue: number;
  ban: { reason: string; until: string | null } | null;
}

export interface Restraint {
  roomId: number;
  viewerId: number;
  /** Null while audience cannot be asked. */
  viewerName: string | null;
  reason: string | null;
  until: string;
  createdAt: string;
  by: 'anchor' | 'operator';
  byId: number;
}

export interface Chat {
  id: number;
  sessionId: number;
  viewerId: number;
  viewerName: string | null;
  text: string;
  at: string;
}

export interface RoomStats {
  sessionId: number | null;
  since: string | null;
  viewers: number;
  peakViewers: number;
  joins: number;
  chats: number;
  tips: number | null;
  revenue: number | null;
  top: { rank: number; viewerId: number | null; name: string; amount: number }[] | null;
}

export interface TagUse {
  tag: string;
  rooms: number;
  viewers: number | null;
}

export interface Viewer {
  id: number;
  kind: 'registered' | 'guest';
  name: string;
  gender: Gender;
  age: number | null;
  region: string | null;
  tags: string[];
  tier: string | null;
  state: string;
  createdAt: string;
}

export interface GuestSession {
  viewer: Viewer;
  token: string;
  expiresAt: string;
  signingKey: string;
}

export interface NewTip {
  traceId: string;
  roomId: number;
  amount: number;
  giftId?: number;
  count?: number;
  message?: string;
}

export interface BatchTip extends NewTip {
  viewerId: number;
}

export interface TipReceipt {
  tipId: number;
  traceId: string;
  status: 'created' | 'exists';
  acceptedAt: string;
}

export interface BatchResult {
  traceId: string;
  status: 'created' | 'exists' | 'rejected';
  tipId?: number | null;
  code?: string | null;
}

export interface Tip {
  tipId: number;
  traceId: string;
  roomId: number;
  anchorId: number;
  anchorName: string;
  viewerId: number;
  viewerName: string;
  amount: number;
  giftId: number;
  count: number;
  message: string | null;
  acceptedAt: string;
}

export interface Balance {
  anchorId: number;
  settled: number;
  withdrawn: number;
  reserved: number;
  available: number;
  asOf: string;
}

export interface ShareRate {
  shareBp: number;
  effectiveFrom: string;
}

export interface ShareRateEntry extends ShareRate {
  createdAt: string;
  inForce: boolean;
}

export interface Withdrawal {
  withdrawalId: number;
  traceId: string;
  amount: number;
  state: 'pending' | 'paid' | 'rejected';
  createdAt: string;
}

export interface Sums {
  count: number;
  amount: number;
}

export interface Reconciliation {
  asOf: string;
  tips: Sums;
  ledger: Sums;
  inFlight: Sums;
  difference: Sums;
  lanes: { lane: number; node: string; open: boolean; tips: number; ledger: number; lagSeconds: number }[];
  invariants: { id: string; holds: boolean; figure: number }[];
}

export interface JourneyStep {
  step: 'accepted' | 'committed' | 'pushed' | 'settled' | 'counted';
  done: boolean;
  at: string | null;
}

export interface Journey {
  traceId: string;
  tipId: number;
  steps: JourneyStep[];
  settlement: { shareBp: number; anchorUnits: number; platformUnits: number } | null;
  hour: string | null;
}

export interface StatementSums {
  tips: number;
  amount: number;
  anchorUnits: number;
}

export interface Statement {
  anchorId: number;
  from: string;
  to: string;
  items: (StatementSums & { day: string; shareBp: number })[];
  total: StatementSums;
}

export interface RoomSession {
  id: number;
  roomId: number;
  openedAt: string;
  closedAt: string | null;
  tips: number;
  revenue: number;
  peakViewers: number | null;
  joins: number | null;
  chats: number | null;
}
