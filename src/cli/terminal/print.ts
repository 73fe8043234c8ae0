// Puts results on stdout in the format asked for, and talk on stderr. The JSON is one value with a
// version; streams are one value a line.

import type { OutputFormat } from "../../config/client-options.ts";
import type { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import type { Style } from "./style.ts";
import { createStyle, wantsColour } from "./style.ts";
import type { Column } from "./table.ts";
import { renderTable } from "./table.ts";

export const API_VERSION = "trainyard/v1";

export interface PrintOptions {
  readonly format: OutputFormat;
  readonly isQuiet: boolean;
  readonly isColourRefused: boolean;
}

export interface ListShape<Item> {
  /** `JobList`. */
  readonly kind: string;
  readonly items: readonly Item[];
  readonly columns: (style: Style) => readonly Column<Item>[];
  readonly nameOf: (item: Item) => string;
  /** Said on stderr when there is nothing. */
  readonly whenEmpty: string;
  /** More fields of the JSON value. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface Printer {
  readonly format: OutputFormat;
  readonly isJson: boolean;
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
  /** Of stdout. */
  readonly style: Style;
  /** Cells of a line of stdout; Infinity without a terminal. */
  readonly width: number;
  list<Item>(shape: ListShape<Item>): void;
  /** One thing: JSON, its name, or the text for people. */
  one(shape: { kind: string; name: string; value: object; text: () => string }): void;
  /** One JSON value a line, for streams. */
  jsonLine(kind: string, value: object): void;
  table<Item>(items: readonly Item[], columns: readonly Column<Item>[]): string;
  text(text: string): void;
  /** A remark on stderr; silent with `--quiet`. */
  note(text: string): void;
  failure(failure: Failure): void;
}

export function createPrinter(io: Io, options: PrintOptions): Printer {
  const { stdout, stderr, host } = io;
  const isRefused = options.isColourRefused;
  const style = createStyle(wantsColour({ env: host.env, stream: stdout, isRefused }));
  const talk = createStyle(wantsColour({ env: host.env, stream: stderr, isRefused }));
  const width = stdout.isTTY === true ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
  const json = (value: object): void => void stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  const table = <Item>(items: readonly Item[], columns: readonly Column<Item>[]): string =>
    renderTable(items, columns, {
      width,
      isWide: options.format === "wide",
      paintTitle: style.dim,
    });
  const note = (text: string): void => {
    if (!options.isQuiet) stderr.write(`${text}\n`);
  };
  return {
    format: options.format,
    isJson: options.format === "json",
    isTerminal: stdout.isTTY === true,
    style,
    width,
    table,
    note,
    text: (text) => void stdout.write(text),
    list: (shape) => {
      const { items, kind, extra } = shape;
      if (options.format === "json")
        return json({ apiVersion: API_VERSION, kind, ...extra, items });
      if (items.length === 0) return note(shape.whenEmpty);
      if (options.format === "name") {
        return void stdout.write(items.map((item) => `${shape.nameOf(item)}\n`).join(""));
      }
      stdout.write(table(items, shape.columns(style)));
    },
    one: ({ kind, name, value, text }) => {
      if (options.format === "json") return json({ apiVersion: API_VERSION, kind, ...value });
      stdout.write(options.format === "name" ? `${name}\n` : text());
    },
    jsonLine: (kind, value) =>
      void stdout.write(`${JSON.stringify({ apiVersion: API_VERSION, kind, ...value })}\n`),
    failure: (failure) => {
      if (options.format === "json") return json(failureValue(failure));
      stderr.write(failureText(failure, talk));
    },
  };
}

function failureValue({ code, message, remedy, field }: Failure): object {
  return { apiVersion: API_VERSION, error: { code, message, remedy, field } };
}

function failureText(failure: Failure, style: Style): string {
  const lines = [`${style.bad("error:")} ${failure.message}`];
  if (failure.remedy !== "") lines.push(`${style.dim("→")} ${failure.remedy}`);
  return `${lines.join("\n")}\n`;
}
