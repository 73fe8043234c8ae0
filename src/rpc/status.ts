// How an outcome that is not a reply goes onto the wire: the catalogue's gRPC status and, in a
// trailer, the google.rpc details that remote-error.ts reads back. Says nothing of bugs but that
// one happened.

import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { ERROR_CATALOGUE, Fault, type Refusal, RefusalError, refuse } from "../base/errors.ts";
import type { BadRequest, BadRequest__Output } from "./gen/google/rpc/BadRequest.ts";
import type { ErrorInfo, ErrorInfo__Output } from "./gen/google/rpc/ErrorInfo.ts";
import type { Status, Status__Output } from "./gen/google/rpc/Status.ts";
import { decodeMessage, type MessageCodec } from "./loader.ts";

export const DETAILS_TRAILER = "grpc-status-details-bin";
export const ERROR_DOMAIN = "trainyard";
export const TYPE_URL = "type.googleapis.com/google.rpc.";

/** Peers bound their headers (8 KiB is common), and text there is percent-encoded. */
const TEXT_BYTES_MAX = 1_024;

interface TypedCodec<In, Out> {
  readonly serialize: (value: In) => Buffer;
  readonly deserialize: (bytes: Uint8Array) => Out;
}

interface DetailMessages {
  readonly Status: TypedCodec<Status, Status__Output>;
  readonly ErrorInfo: TypedCodec<ErrorInfo, ErrorInfo__Output>;
  readonly BadRequest: TypedCodec<BadRequest, BadRequest__Output>;
}

/** The google.rpc messages of a detailed error. */
export function decodeDetailMessages(): DetailMessages {
  const message = (name: string): MessageCodec => decodeMessage(`google.rpc.${name}`);
  // The generated types describe exactly these files; loader.test.ts holds them together.
  return {
    Status: message("Status"),
    ErrorInfo: message("ErrorInfo"),
    BadRequest: message("BadRequest"),
  } as DetailMessages;
}

/** The refusal as a gRPC status: text for people, `ErrorInfo` for programs. */
export function refusalStatus(refusal: Refusal): StatusObject {
  const code = status[ERROR_CATALOGUE[refusal.code].status];
  const message = clipped(refusal.message);
  const metadata = new Metadata();
  metadata.set(DETAILS_TRAILER, statusBytes({ ...refusal, message }, code));
  return { code, details: `${message} ${clipped(refusal.remedy)}`.trim(), metadata };
}

/**
 * What a handler threw as a gRPC status; null when it is a bug, of which the caller learns nothing.
 */
export function thrownStatus(error: unknown): StatusObject | null {
  if (error instanceof RefusalError) return refusalStatus(error.refusal);
  if (!(error instanceof Fault)) return null;
  const remedy = error.isRetryable ? "Try again in a moment." : "An operator has to look into it.";
  return refusalStatus(refuse(error.code, error.message, remedy));
}

export function bugStatus(): StatusObject {
  const message = "The server has hit a bug and did not do this.";
  const remedy = "Its log has the details; please report it with them.";
  return refusalStatus(refuse("INTERNAL_ERROR", message, remedy));
}

/** Whether a handler's answer is a "no". Replies have no `kind` of `refusal`. */
export function isRefusal(answer: unknown): answer is Refusal {
  if (typeof answer !== "object" || answer === null || !("kind" in answer)) return false;
  return answer.kind === "refusal";
}

function statusBytes(refusal: Refusal, code: number): Buffer {
  const messages = decodeDetailMessages();
  const { code: reason, message, remedy, field } = refusal;
  const info = { reason, domain: ERROR_DOMAIN, metadata: { remedy: clipped(remedy) } };
  const details = [any("ErrorInfo", messages.ErrorInfo.serialize(info))];
  if (field !== "") {
    const fieldViolations = [{ field: clipped(field), description: message }];
    details.push(any("BadRequest", messages.BadRequest.serialize({ fieldViolations })));
  }
  return messages.Status.serialize({ code, message, details });
}

const any = (name: string, value: Buffer): { type_url: string; value: Buffer } => ({
  type_url: `${TYPE_URL}${name}`,
  value,
});

function clipped(text: string): string {
  if (Buffer.byteLength(text) <= TEXT_BYTES_MAX) return text;
  // A cut through a character leaves a replacement character before the dots: harmless.
  return `${Buffer.from(text).subarray(0, TEXT_BYTES_MAX).toString("utf8")}…`;
}
