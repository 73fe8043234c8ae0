// The one catalogue of expected "no"s. A refusal is data that a pure core returns; the shells
// translate it (gRPC status + ErrorInfo reason, CLI exit code) by this table and nothing else.

/** gRPC status names, so that the pure core needs no gRPC import. */
export type StatusName =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "UNAUTHENTICATED"
  | "FAILED_PRECONDITION"
  | "RESOURCE_EXHAUSTED"
  | "ABORTED"
  | "UNAVAILABLE"
  | "DEADLINE_EXCEEDED"
  | "OUT_OF_RANGE"
  | "DATA_LOSS"
  | "CANCELLED"
  | "INTERNAL";

export const ERROR_CATALOGUE = {
  INVALID_SPEC: { status: "INVALID_ARGUMENT", meaning: "A field of the request is wrong." },
  INVALID_OPTION: {
    status: "INVALID_ARGUMENT",
    meaning: "A flag, environment variable or configuration file is wrong.",
  },
  INVALID_TRACE: {
    status: "INVALID_ARGUMENT",
    meaning: "A file of jobs or nodes to simulate is wrong.",
  },
  JOB_NOT_FOUND: { status: "NOT_FOUND", meaning: "No job has this id or name." },
  QUEUE_NOT_FOUND: { status: "NOT_FOUND", meaning: "No queue has this path." },
  QUEUE_NOT_LEAF: { status: "FAILED_PRECONDITION", meaning: "Jobs go to leaf queues only." },
  QUEUE_NOT_EMPTY: { status: "FAILED_PRECONDITION", meaning: "The queue has jobs or children." },
  QUEUE_INVALID: { status: "INVALID_ARGUMENT", meaning: "The queue tree would contradict itself." },
  NODE_NOT_FOUND: { status: "NOT_FOUND", meaning: "No node has this name." },
  NODE_NAME_TAKEN: { status: "ALREADY_EXISTS", meaning: "Another live agent uses this node name." },
  CHECKPOINT_NOT_FOUND: { status: "NOT_FOUND", meaning: "No such checkpoint." },
  CHECKPOINT_IN_USE: {
    status: "FAILED_PRECONDITION",
    meaning: "The job would resume from this checkpoint, or does so now.",
  },
  RUN_NOT_FOUND: { status: "NOT_FOUND", meaning: "No run has this id." },
  METRIC_NOT_FOUND: { status: "NOT_FOUND", meaning: "The run has no points of this metric." },
  BUNDLE_NOT_FOUND: { status: "FAILED_PRECONDITION", meaning: "The code bundle was not uploaded." },
  EXCEEDS_CLUSTER: {
    status: "FAILED_PRECONDITION",
    meaning: "No node set of this cluster could ever hold the job (policy: refuse).",
  },
  EXCEEDS_QUEUE_LIMIT: {
    status: "FAILED_PRECONDITION",
    meaning: "The job alone is larger than its queue's limit.",
  },
  UNKNOWN_PRIORITY_CLASS: { status: "INVALID_ARGUMENT", meaning: "No such priority class." },
  PRIORITY_NOT_GRANTED: {
    status: "PERMISSION_DENIED",
    meaning: "The policy grants the priority class to others only.",
  },
  POLICY_INVALID: { status: "INVALID_ARGUMENT", meaning: "The policy would contradict itself." },
  JOB_ENDED: { status: "FAILED_PRECONDITION", meaning: "The job has already ended." },
  JOB_NOT_PENDING: {
    status: "FAILED_PRECONDITION",
    meaning: "Only a job that waits can be held, and one that is held by itself released.",
  },
  JOB_IS_ARRAY: {
    status: "FAILED_PRECONDITION",
    meaning: "The call is about one job; an element of the array has to be named.",
  },
  JOB_NOT_RUNNING: { status: "FAILED_PRECONDITION", meaning: "The job has no running task now." },
  STALE_ATTEMPT: { status: "ABORTED", meaning: "A newer attempt of the job exists (fenced)." },
  REQUEST_ID_REUSED: {
    status: "ALREADY_EXISTS",
    meaning: "The request id was used before for a different call.",
  },
  TOO_MANY_QUEUED: {
    status: "RESOURCE_EXHAUSTED",
    meaning: "The user, or the tenant, has as many jobs waiting as the policy allows.",
  },
  TOO_MANY_REQUESTS: { status: "RESOURCE_EXHAUSTED", meaning: "A bounded queue is full." },
  TOO_LARGE: { status: "RESOURCE_EXHAUSTED", meaning: "A message or file is over its limit." },
  SHUTTING_DOWN: { status: "UNAVAILABLE", meaning: "The daemon is stopping." },
  AGENT_UNREACHABLE: { status: "UNAVAILABLE", meaning: "The node's agent is not connected." },
  AGENT_REFUSED: {
    status: "FAILED_PRECONDITION",
    meaning: "The node's agent could not do it, for the reason it gives.",
  },
  STORE_UNAVAILABLE: { status: "UNAVAILABLE", meaning: "The object store does not answer." },
  STORE_NOT_OWN: {
    status: "FAILED_PRECONDITION",
    meaning: "Another cluster keeps its objects at this place of the object store.",
  },
  STORE_CORRUPT: { status: "DATA_LOSS", meaning: "Stored bytes do not match their hash." },
  DISK_FULL: { status: "RESOURCE_EXHAUSTED", meaning: "A disk of this machine is full." },
  LOCAL_FILE: {
    status: "FAILED_PRECONDITION",
    meaning: "A file or folder of this machine cannot be read or written.",
  },
  ADDRESS_NOT_USABLE: {
    status: "FAILED_PRECONDITION",
    meaning: "A daemon cannot listen on the address (taken, or not this host's).",
  },
  DATA_FOLDER_IN_USE: {
    status: "FAILED_PRECONDITION",
    meaning: "Another running process has this data folder open.",
  },
  DATA_FORMAT_UNKNOWN: {
    status: "FAILED_PRECONDITION",
    meaning: "The data folder was written by a newer version, or by something else.",
  },
  DATA_LOG_CORRUPT: {
    status: "DATA_LOSS",
    meaning: "The event log or its snapshot has a gap or an unreadable row.",
  },
  TRACKER_DATA_CORRUPT: {
    status: "DATA_LOSS",
    meaning: "A stored run or metric series can't be read.",
  },
  DATA_NOT_WRITTEN: {
    status: "UNAVAILABLE",
    meaning: "The data folder cannot be written (full disk, read-only, I/O error).",
  },
  SERVER_UNREACHABLE: { status: "UNAVAILABLE", meaning: "The server does not answer." },
  DEADLINE_PASSED: {
    status: "DEADLINE_EXCEEDED",
    meaning: "No answer came within the call's time limit; it may have taken effect.",
  },
  CALL_CANCELLED: { status: "CANCELLED", meaning: "The caller ended the call." },
  INTERNAL_ERROR: { status: "INTERNAL", meaning: "A bug; the server's log has the details." },
} as const satisfies Record<string, { status: StatusName; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** An expected "no". `message` names the field and the value, `remedy` what to do next. */
export interface Refusal {
  readonly kind: "refusal";
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  /** Path of the field at fault, such as `spec.resources.gpus`; empty when no one field is. */
  readonly field: string;
}

export function refuse(code: ErrorCode, message: string, remedy: string, field = ""): Refusal {
  return { kind: "refusal", code, message, remedy, field };
}

/** Thrown only in shells: carries a refusal through async code up to a handler. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`${refusal.message} ${refusal.remedy}`.trim());
    this.refusal = refusal;
  }
}

/** The world failed (disk, network, object store): a loop that knows how retries it. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: ErrorCode;
  readonly isRetryable: boolean;
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; isRetryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.isRetryable = options.isRetryable ?? true;
  }
}
