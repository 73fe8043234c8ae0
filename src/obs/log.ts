// The daemons' log: JSON lines on stderr, or one readable line each when a person watches. Owns the
// shape of a line; knows no feature. Core code is silent.

import pino from "pino";
import picocolors from "picocolors";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type Logger = pino.Logger;

export interface LogOptions {
  readonly level: LogLevel;
  /** What the lines are about: `scheduler`, `agent`, `tracker`. */
  readonly name: string;
  /** `auto` = pretty when `stream` is a terminal. */
  readonly style: "auto" | "json" | "pretty";
  /** Where lines go; default: stderr, written at once so that the last words are never lost. */
  readonly stream?: LogStream;
}

export interface LogStream {
  write(line: string): void;
  readonly isTTY?: boolean;
}

export function createLogger(options: LogOptions): Logger {
  const stream = options.stream ?? process.stderr;
  const isPretty =
    options.style === "pretty" || (options.style === "auto" && stream.isTTY === true);
  const target = isPretty
    ? { write: (line: string) => stream.write(prettyLine(line, stream.isTTY === true)) }
    : (options.stream ?? stderrOrNothing());
  return pino(
    {
      name: options.name,
      level: options.level,
      base: { name: options.name },
      messageKey: "message",
      errorKey: "error",
      timestamp: () => `,"at":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    target,
  );
}

/** Of lines that could not be written yet; more are dropped. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** Lines that a full disk or a reader that went away will not take are lost, and nothing else. */
function stderrOrNothing(): LogStream {
  const destination = pino.destination({ fd: 2, sync: true, maxLength: WAITING_BYTES_MAX });
  destination.on("error", () => undefined);
  return destination;
}

/** `12:00:01.250 WARN  scheduler  The wall clock … skewMs=5200` */
export function prettyLine(line: string, isColoured: boolean): string {
  const colours = picocolors.createColors(isColoured);
  const { level, at, name, message, error, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const paint =
    level === "error" ? colours.red : level === "warn" ? colours.yellow : (text: string) => text;
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${fieldText(value)}`);
  const words = [
    colours.dim(String(at).slice(11, 23)),
    paint(String(level).toUpperCase().padEnd(5)),
    colours.dim(fieldText(name)),
    paint(fieldText(message ?? "")),
    colours.dim(fields.join(" ")),
  ];
  return `${words.filter((word) => word !== "").join(" ")}\n${errorText(error)}`;
}

function fieldText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function errorText(error: unknown): string {
  if (typeof error !== "object" || error === null || !("stack" in error)) return "";
  return `${String(error.stack).replaceAll(/^/gm, "    ")}\n`;
}
