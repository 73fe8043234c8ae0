// The kinds of value that options have: how each is read from text or YAML, checked and shown.

import { isAbsolute, resolve } from "node:path";
import type { Host } from "./host.ts";
import type { Completion, RawValue, ValueKind } from "./option.ts";
import { suggestion } from "./suggest.ts";
import type { Parsed } from "./words.ts";
import {
  formatDuration,
  formatMemoryMib,
  parsed,
  parseDuration,
  parseMemoryMib,
  problem,
  quote,
} from "./words.ts";

function kind<T>(
  given: Pick<ValueKind<T>, "placeholder" | "accepts" | "parse" | "format"> & Partial<ValueKind<T>>,
): ValueKind<T> {
  return { isList: false, choices: [], completion: null, ...given };
}

/** Text and numbers of YAML as text; anything else is no scalar. */
function scalarText(raw: RawValue): string | null {
  if (typeof raw === "string") return raw;
  return typeof raw === "number" || typeof raw === "bigint" ? String(raw) : null;
}

function shown(raw: RawValue): string {
  return typeof raw === "string" ? quote(raw) : (JSON.stringify(raw) ?? String(raw));
}

export function text(
  options: {
    placeholder?: string;
    completion?: Completion;
    pattern?: RegExp;
    accepts?: string;
  } = {},
): ValueKind<string> {
  const accepts = options.accepts ?? "text";
  return kind<string>({
    placeholder: options.placeholder ?? "<text>",
    accepts,
    completion: options.completion ?? null,
    parse: (raw) => {
      const word = scalarText(raw);
      if (word === null || options.pattern?.test(word) === false) {
        return problem(`${shown(raw)} is not ${accepts}`);
      }
      return parsed(word);
    },
    format: (value) => value,
  });
}

/** A switch: `--insecure`, `TRAINYARD_AGENT_INSECURE=1`, `insecure: true`. */
export function flag(): ValueKind<boolean> {
  const words: Readonly<Record<string, boolean>> = {
    true: true,
    yes: true,
    on: true,
    "1": true,
    false: false,
    no: false,
    off: false,
    "0": false,
    "": false,
  };
  return kind<boolean>({
    placeholder: "",
    accepts: "true or false",
    parse: (raw) => {
      const value = words[String(raw).toLowerCase()];
      return value === undefined
        ? problem(`${shown(raw)} is neither true nor false`)
        : parsed(value);
    },
    format: String,
  });
}

export function integer(range: { min: number; max: number; unit?: string }): ValueKind<number> {
  const unit = range.unit === undefined ? "" : ` ${range.unit}`;
  const accepts = `whole number${unit}, ${range.min} to ${range.max}`;
  return kind<number>({
    placeholder: "<n>",
    accepts,
    parse: (raw) => {
      const word = scalarText(raw)?.trim() ?? "";
      const value = /^-?\d+$/.test(word) ? Number(word) : Number.NaN;
      const isInside = value >= range.min && value <= range.max;
      return isInside ? parsed(value) : problem(`${shown(raw)} is not a ${accepts}`);
    },
    format: String,
  });
}

/** Milliseconds inside, words outside. */
export function duration(range: { minMs: number; maxMs: number }): ValueKind<number> {
  const bounds = `${formatDuration(range.minMs)} to ${formatDuration(range.maxMs)}`;
  return kind<number>({
    placeholder: "<duration>",
    accepts: `duration, ${bounds}`,
    parse: (raw) => {
      const result = parseDuration(scalarText(raw) ?? "");
      if (!result.ok) return result;
      const isInside = result.value >= range.minMs && result.value <= range.maxMs;
      return isInside ? result : problem(`${shown(raw)} is outside ${bounds}`);
    },
    format: formatDuration,
  });
}

/** MiB inside, words such as 24GiB outside. */
export function size(): ValueKind<number> {
  return kind<number>({
    placeholder: "<size>",
    accepts: "size such as 512MiB or 24GiB",
    parse: (raw) => parseMemoryMib(scalarText(raw) ?? ""),
    format: formatMemoryMib,
  });
}

export function choice<const Word extends string>(words: readonly Word[]): ValueKind<Word> {
  return kind<Word>({
    placeholder: `<${words.join("|")}>`,
    accepts: words.join(", "),
    choices: words,
    parse: (raw) => {
      const found = words.find((word) => word === raw);
      if (found !== undefined) return parsed(found);
      return problem(`${shown(raw)} is unknown${suggestion(String(raw), words)}`);
    },
    format: (value) => value,
  });
}

/** A path made absolute against the working directory; `~/` is the home folder. */
export function path(what: "file" | "directory"): ValueKind<string> {
  return kind<string>({
    placeholder: what === "file" ? "<file>" : "<dir>",
    accepts: what === "file" ? "path of a file" : "path of a folder",
    completion: what,
    parse: (raw, host) => {
      const word = scalarText(raw) ?? "";
      if (word === "" || word.includes("\0")) return problem(`${shown(raw)} is not a path`);
      return parsed(absolutePath(word, host));
    },
    format: (value) => value,
  });
}

function absolutePath(word: string, host: Host): string {
  if (word.startsWith("~/")) return resolve(host.home, word.slice(2));
  return isAbsolute(word) ? word : resolve(host.cwd, word);
}

/** `host:port`, `[::1]:7070`; port 0 lets the system choose where `isPortZeroAllowed`. */
export function address(options: { isPortZeroAllowed: boolean }): ValueKind<string> {
  const portMin = options.isPortZeroAllowed ? 0 : 1;
  return kind<string>({
    placeholder: "<host:port>",
    accepts: `host:port, port ${portMin} to 65535`,
    parse: (raw) => parseAddress(raw, portMin),
    format: (value) => value,
  });
}

function parseAddress(raw: RawValue, portMin: number): Parsed<string> {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):(\d{1,5})$/.exec(scalarText(raw)?.trim() ?? "");
  if (match === null) {
    return problem(`${shown(raw)} is not an address; write host:port, such as 127.0.0.1:7070`);
  }
  const port = Number(match[2]);
  if (port < portMin || port > 65_535) {
    return problem(`port ${port} of ${shown(raw)} is not in ${portMin} to 65535`);
  }
  return parsed(`${match[1]}:${port}`);
}

/** An address, or `off`, which is null. */
export function addressOrOff(): ValueKind<string | null> {
  const inner = address({ isPortZeroAllowed: true });
  return kind<string | null>({
    placeholder: "<host:port|off>",
    accepts: `${inner.accepts}, or off`,
    // YAML 1.1 readers write `off` as false.
    parse: (raw, host) => (raw === "off" || raw === false ? parsed(null) : inner.parse(raw, host)),
    format: (value) => value ?? "off",
  });
}

/** A list: repeat the flag, separate by commas in the environment, write a YAML list. */
export function list<T>(inner: ValueKind<T>): ValueKind<readonly T[]> {
  return kind<readonly T[]>({
    placeholder: inner.placeholder,
    accepts: `${inner.accepts}; may be repeated`,
    isList: true,
    choices: inner.choices,
    completion: inner.completion,
    parse: (raw, host) => {
      const values: T[] = [];
      for (const item of listItems(raw)) {
        const result = inner.parse(item, host);
        if (!result.ok) return result;
        values.push(result.value);
      }
      return parsed(values);
    },
    format: (values) => values.map((value) => inner.format(value)).join(","),
  });
}

function listItems(raw: RawValue): readonly unknown[] {
  if (Array.isArray(raw)) return raw;
  if (typeof raw === "string") return raw === "" ? [] : raw.split(",");
  return [raw];
}

/** `key=value` pairs: a repeated flag, commas in the environment, a map in YAML. */
export function labels(): ValueKind<Readonly<Record<string, string>>> {
  return kind<Readonly<Record<string, string>>>({
    placeholder: "<key=value>",
    accepts: "key=value; may be repeated",
    isList: true,
    parse: (raw) => parseLabels(raw),
    format: (value) =>
      Object.entries(value)
        .map(([key, word]) => `${key}=${word}`)
        .join(","),
  });
}

function parseLabels(raw: RawValue): Parsed<Readonly<Record<string, string>>> {
  const isMap = typeof raw === "object" && raw !== null && !Array.isArray(raw);
  const pairs = isMap ? Object.entries(raw) : listItems(raw).map((item) => splitPair(String(item)));
  for (const [key, value] of pairs) {
    if (
      !/^[A-Za-z0-9]([A-Za-z0-9_./-]{0,61}[A-Za-z0-9])?$/.test(key) ||
      scalarText(value) === null
    ) {
      return problem(`${shown(raw)} is not key=value, such as rack=r1`);
    }
  }
  return parsed(Object.fromEntries(pairs.map(([key, value]) => [key, String(value)])));
}

function splitPair(item: string): [string, unknown] {
  const at = item.indexOf("=");
  return at < 0 ? [item, null] : [item.slice(0, at), item.slice(at + 1)];
}
