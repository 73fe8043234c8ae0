// The client's side of status.ts: a gRPC error becomes a catalogue code, what went wrong and what
// to do next, also when it did not come from a Trainyard server.

import { type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ERROR_CATALOGUE, type ErrorCode, type Refusal, refuse } from "../base/errors.ts";
import { socketError } from "./socket-error.ts";
import { decodeDetailMessages, DETAILS_TRAILER, ERROR_DOMAIN, TYPE_URL } from "./status.ts";

/** A call that got no reply. `refusal` has everything; the properties are the same, at hand. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  readonly refusal: Refusal;
  constructor(refusal: Refusal, cause: unknown) {
    super(`${refusal.message} ${refusal.remedy}`.trim(), { cause });
    this.refusal = refusal;
  }
  get code(): ErrorCode {
    return this.refusal.code;
  }
  get remedy(): string {
    return this.refusal.remedy;
  }
  get field(): string {
    return this.refusal.field;
  }
}

/** `server` is the address called, for the sentence about one that does not answer. */
export function decodeRemoteError(error: unknown, server: string): RemoteError {
  if (error instanceof RemoteError) return error;
  if (!isServiceError(error)) return new RemoteError(bugOf(String(error)), error);
  const refusal = detailedRefusal(error.metadata) ?? plainRefusal(error, server);
  return new RemoteError(refusal, error);
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error && "metadata" in error;
}

/** What a Trainyard server wrote; null when the trailer is absent or not ours. */
function detailedRefusal(metadata: Metadata | undefined): Refusal | null {
  const bytes = metadata?.get(DETAILS_TRAILER)[0];
  if (!(bytes instanceof Buffer)) return null;
  const messages = decodeDetailMessages();
  const { message, details } = messages.Status.deserialize(bytes);
  const find = (name: string): Buffer | undefined =>
    details.find((detail) => detail.type_url === `${TYPE_URL}${name}`)?.value;
  const infoBytes = find("ErrorInfo");
  if (infoBytes === undefined) return null;
  const info = messages.ErrorInfo.deserialize(infoBytes);
  if (info.domain !== ERROR_DOMAIN || !isErrorCode(info.reason)) return null;
  const violation = find("BadRequest");
  const violations =
    violation === undefined ? [] : messages.BadRequest.deserialize(violation).fieldViolations;
  const field = violations[0]?.field ?? "";
  return refuse(info.reason, message, info.metadata["remedy"] ?? "", field);
}

const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERROR_CATALOGUE, text);

/** What grpc-js says when this side ended the call; a server that dies cancels its calls too. */
const ENDED_HERE = "Cancelled on client";

/** Errors that gRPC itself makes, or a server that is none of ours. */
function plainRefusal(error: ServiceError, server: string): Refusal {
  switch (error.code) {
    case status.UNAVAILABLE:
      return refuse(
        "SERVER_UNREACHABLE",
        `No answer from ${server}: ${socketError(error.details)}.`,
        "Check the address, and that the daemon runs there (`trainyard doctor`).",
      );
    case status.DEADLINE_EXCEEDED:
      return refuse(
        "DEADLINE_PASSED",
        `${server} did not answer in time.`,
        "Try again; a repeat with the same request id does nothing twice.",
      );
    case status.CANCELLED:
      return error.details === ENDED_HERE
        ? refuse("CALL_CANCELLED", "The call was ended before its reply.", "")
        : refuse(
            "SERVER_UNREACHABLE",
            `${server} went away before it replied.`,
            "What was asked for may or may not have happened: look before you repeat it.",
          );
    case status.RESOURCE_EXHAUSTED:
      return refuse(
        "TOO_LARGE",
        `The message is too large: ${error.details}.`,
        "Messages may have 16 MiB; send less at once, or put large files into the bundle.",
      );
    case status.UNIMPLEMENTED:
      return refuse(
        "INTERNAL_ERROR",
        `${server} does not know this call: ${error.details}.`,
        "Client and server are of different versions, or it is another service's address.",
      );
    default:
      return bugOf(error.details);
  }
}

const bugOf = (details: string): Refusal =>
  refuse("INTERNAL_ERROR", `The call failed: ${details}.`, "The server's log may say more.");
