// Small conversions between the wire's times and numbers and what people and JSON are shown. Pure.

import { formatDuration } from "../config/words.ts";

export interface WireTime {
  readonly seconds: number;
  readonly nanos: number;
}

/** UTC milliseconds; null when the wire had none. */
export function timeMs(time: WireTime | null | undefined): number | null {
  if (time === null || time === undefined) return null;
  return time.seconds * 1000 + Math.floor(time.nanos / 1e6);
}

/** ISO 8601 in UTC; null when there is none. */
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** `google.protobuf.Duration` of milliseconds. */
export function wireDuration(ms: number): WireTime {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}

/** Two largest units, for columns: `1h30m`, `12s`, `3d4h`. */
export function roughDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const unitSeconds = seconds >= 86_400 ? 3_600 : seconds >= 3_600 ? 60 : 1;
  return formatDuration(Math.floor(seconds / unitSeconds) * unitSeconds * 1000);
}

/** `3.2 GB`; three digits are enough to compare. */
export function roughBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit] ?? ""}`;
}

/** `2 nodes`, `1 node`, `2 passes`. */
export function counted(count: number, noun: string): string {
  const plural = noun.endsWith("s") ? `${noun}es` : `${noun}s`;
  return `${count} ${count === 1 ? noun : plural}`;
}
