// How far a long upload is, in a small file: one line for the upload, then one for each part that the
// store has. Another process goes on from there. Losing it costs the parts again, and no more.

import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./faults.ts";
import type { Content } from "./port.ts";

export interface SentPart {
  readonly etag: string;
  readonly crc: number;
}

export interface BegunUpload extends Content {
  readonly key: string;
  readonly uploadId: string;
  readonly partBytes: number;
}

export interface UploadNote {
  readonly begun: BegunUpload;
  /** By number. */
  readonly parts: ReadonlyMap<number, SentPart>;
}

/** On a full disk there is no note: the upload goes on without. */
export async function noteBegun(path: string, begun: BegunUpload): Promise<void> {
  await ifPossible(async () => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, line(begun));
  });
}

export async function notePart(path: string, number: number, part: SentPart): Promise<void> {
  await ifPossible(() => appendFile(path, line({ number, ...part })));
}

export async function forgetNote(path: string): Promise<void> {
  await ifPossible(() => rm(path, { force: true }));
}

/** Null when there is none, or not even its first line is whole. */
export async function readNote(path: string): Promise<UploadNote | null> {
  const text = (await ifPossible(() => readFile(path, "utf8"))) ?? "";
  const [first, ...rest] = text.split("\n").map(parse);
  if (first === undefined || !isBegun(first)) return null;
  const parts = rest
    .filter(isPart)
    .map(({ number, etag, crc }) => [number, { etag, crc }] as const);
  return { begun: first, parts: new Map(parts) };
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;

/** The process may have ended in the middle of a line. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isBegun(value: unknown): value is BegunUpload {
  const { key, uploadId, digest, partBytes, sizeBytes } = (value ?? {}) as Partial<BegunUpload>;
  const isNamed = [key, uploadId, digest].every((text) => typeof text === "string");
  return isNamed && [partBytes, sizeBytes].every((size) => Number.isSafeInteger(size));
}

function isPart(value: unknown): value is SentPart & { readonly number: number } {
  const { number, etag, crc } = (value ?? {}) as Partial<SentPart & { number: number }>;
  return [number, crc].every((count) => Number.isSafeInteger(count)) && typeof etag === "string";
}

async function ifPossible<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
