// What several services read from a request: the caller's envelope, digests, names, pages.

import { hash } from "node:crypto";
import { type Digest, digest, type NodeId, nodeId } from "../base/ids.ts";
import type { CallContext } from "../rpc/call-context.ts";
import { decodeMatching, decodeRequestId, decodeWhole, reject } from "../rpc/decode.ts";
import type { Command, Envelope } from "./core/commands.ts";

const DIGEST = /^[0-9a-f]{64}$/;
const NODE_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;

export function decodeDigest(value: string, field: string): Digest {
  const remedy = "Give the sha256 of the content as 64 lower-case hex digits.";
  return digest(decodeMatching(value, field, DIGEST, remedy));
}

export function decodeNodeId(value: string, field = "node"): NodeId {
  const remedy = "A node name has letters, digits, `.`, `_` and `-`, as `trainyard node ls` shows.";
  return nodeId(decodeMatching(value, field, NODE_NAME, remedy));
}

export function decodePageSize(size: number): number {
  return decodeWhole(size, "page.size", { min: 0, max: PAGE_MAX }) || PAGE_DEFAULT;
}

/** A list's token is the number of the last job on the page before. */
export function decodePageToken(token: string): number {
  if (token === "") return Number.MAX_SAFE_INTEGER;
  const number = /^\d{1,15}$/.test(token) ? Number(token) : 0;
  if (number > 0) return number;
  return reject("page.token", token, "no token of this list", "Use the `next_token` of a page.");
}

/**
 * The command as the caller's, with its request id. The fingerprint is of the request as it came,
 * so that a repeat is known even when a name in it means another job by now.
 */
export function envelopeOf(
  command: Command,
  request: { readonly requestId: string },
  { caller }: CallContext,
): Envelope {
  const id = decodeRequestId(request.requestId);
  const content = { kind: command.kind, caller, request: { ...request, requestId: "" } };
  const fingerprint = hash("sha256", canonical(content));
  return { command, actor: caller, request: { id, fingerprint } };
}

/**
 * JSON with the keys of every object in order, for maps come in no order from the wire, and
 * without fields that were not set: so a repeat is known, too, by a release that knows more fields.
 * By hand, since `JSON.stringify` with a replacer takes twice as long, and each submission waits.
 */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields: string[] = [];
  for (const [key, part] of Object.entries(value)) {
    if (!isUnset(part)) fields.push(`${JSON.stringify(key)}:${canonical(part)}`);
  }
  return `{${fields.sort().join(",")}}`;
}

/** What the wire does not tell from a field that is left out. */
function isUnset(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === "" || value === 0 || value === false || value === null || value === undefined;
}
