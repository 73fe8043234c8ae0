// The SDK client, its settings, and what its errors mean. Everything that talks to S3 goes through
// `send`: one try there is one try on the wire, since the retries are ours.

import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { Fault } from "../base/errors.ts";
import { messageOf, storeUnavailable } from "./faults.ts";
import { QUICK_RETRY, withRetry } from "./retry.ts";
import type { S3Url } from "./url.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** A connection on which nothing moves for this long is dropped and the call tried again. */
const IDLE_TIMEOUT_MS = 60_000;

const PASSING_ERRORS: ReadonlySet<string> = new Set([
  "BadDigest",
  "ConditionalRequestConflict",
  // A later try begins anew.
  "NoSuchUpload",
  "OperationAborted",
  "RequestTimeout",
  "SlowDown",
  "XAmzContentSHA256Mismatch",
]);

export interface S3Target {
  readonly client: S3Client;
  readonly url: S3Url;
  /** For messages. */
  readonly name: string;
  readonly bucket: string;
}

export function openTarget(url: S3Url): S3Target {
  const config: S3ClientConfig = {
    maxAttempts: 1,
    forcePathStyle: url.isPathStyle,
    requestChecksumCalculation:
      url.checksums === "when_supported" ? "WHEN_SUPPORTED" : "WHEN_REQUIRED",
    // Everything large is checked by its sha256; a second sum in JavaScript would only cost time.
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: url.parallel * 4 },
      httpsAgent: { keepAlive: true, maxSockets: url.parallel * 4 },
    },
  };
  if (url.endpoint !== null) config.endpoint = url.endpoint;
  if (url.region !== null) config.region = url.region;
  const at = url.endpoint === null ? "" : ` at ${url.endpoint}`;
  const name = `object store s3://${url.bucket}/${url.prefix}${at}`;
  return { client: new S3Client(config), url, name, bucket: url.bucket };
}

/** Whether a plain-text connection makes signing the payload worth its sha256. */
export function isPlainText(target: S3Target): boolean {
  return target.url.endpoint?.startsWith("http:") ?? false;
}

/** Runs one request, again after passing trouble. `what` reads on from "cannot". */
export async function attempt<T>(
  target: S3Target,
  what: string,
  signal: AbortSignal | undefined,
  run: (options: { readonly abortSignal?: AbortSignal }) => Promise<T>,
): Promise<T> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  return await withRetry(QUICK_RETRY, signal, async () => {
    try {
      return await run(options);
    } catch (error) {
      signal?.throwIfAborted();
      throw toFault(target, what, error);
    }
  });
}

/** HTTP status of an SDK error; null when no answer came. */
export function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("$metadata" in error)) return null;
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null) return null;
  const status = "httpStatusCode" in metadata ? metadata.httpStatusCode : null;
  return typeof status === "number" ? status : null;
}

/** The server has forgotten a multi-part upload, or has finished it. */
export function isUploadGone(error: unknown): boolean {
  const cause = error instanceof Fault ? error.cause : error;
  return cause instanceof Error && cause.name === "NoSuchUpload";
}

/** No such object. No such bucket is something else. */
export function isMissing(error: unknown): boolean {
  if (error instanceof Error && error.name === "NoSuchBucket") return false;
  return statusOf(error) === 404;
}

function toFault(target: S3Target, what: string, error: unknown): unknown {
  if (error instanceof Fault) return error;
  const name = error instanceof Error ? error.name : "";
  const status = statusOf(error);
  const remedy = remedyFor(target, name, status);
  const isPassing = remedy === "" && isPassingStatus(name, status);
  const answer = status === null ? "" : ` (HTTP ${status} ${name})`;
  const message = `cannot ${what}: ${messageOf(error)}${answer}.${remedy}`;
  return storeUnavailable(target.name, message, { cause: error, isRetryable: isPassing });
}

/** What a person must do; empty when waiting may help. */
function remedyFor(target: S3Target, name: string, status: number | null): string {
  if (name === "NoSuchBucket") return ` Create the bucket ${target.bucket} or correct the URL.`;
  if (name === "RequestTimeTooSkewed") return " Set this machine's clock.";
  if (name === "CredentialsProviderError" || name === "InvalidAccessKeyId") {
    return " Give credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role.";
  }
  if (status === 301 || name === "AuthorizationHeaderMalformed") {
    return " The bucket is in another region: set region= in the URL.";
  }
  if (status === 401 || status === 403) {
    return ` Check the credentials and their rights to the bucket ${target.bucket}.`;
  }
  return "";
}

/**
 * Bytes damaged on the way (400 with a digest error) are sent again; other 4xx never get better.
 */
function isPassingStatus(name: string, status: number | null): boolean {
  if (status === null || status >= 500 || status === 408 || status === 429) return true;
  return PASSING_ERRORS.has(name);
}
