// Trace ids as clients make them: UUIDv7, time-ordered.
import { randomBytes } from 'node:crypto';

/** A UUIDv7 with dashes. */
export function uuidv7(nowMs = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** A UUIDv7 as the 32 lower-case hex digits in which answers show it. */
export const newTraceId = (): string => asHex(uuidv7());

export const asHex = (traceId: string): string => traceId.replaceAll('-', '').toLowerCase();

let names = 0;

/** A name that no other test takes, and that is no part of another such name. */
export const uniqueName = (what: string): string =>
  `${what}-${process.pid.toString(36)}${Date.now().toString(36)}-${String(names++).padStart(5, '0')}`;
