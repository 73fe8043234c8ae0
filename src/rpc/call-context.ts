// What every call carries besides its message: who asks, until when, and the signal that ends it.
// One interceptor fills it for all services and tells the observer how each call ended.

import {
  type Metadata,
  type ServerInterceptor,
  ServerInterceptingCall,
  type ServerMethodDefinition,
  status,
} from "@grpc/grpc-js";
import { must } from "../base/assert.ts";
import { refuse } from "../base/errors.ts";
import type { Clock } from "../base/time.ts";
import { refusalStatus } from "./status.ts";

/** Who calls. Until tokens come, clients say so themselves; every record names both. */
export interface Caller {
  readonly tenant: string;
  readonly user: string;
}

export const TENANT_HEADER = "trainyard-tenant";
export const USER_HEADER = "trainyard-user";
export const DEFAULT_CALLER: Caller = { tenant: "default", user: "anonymous" };

const CALLER_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;

/**
 * Which call it is, in the words of `grpc_server_handled_total` and its like. All calls of a method
 * have the same object.
 */
export interface ObservedCall {
  readonly kind: "unary" | "client_stream" | "server_stream" | "bidi_stream";
  /** `trainyard.v1.JobService`. */
  readonly service: string;
  readonly method: string;
}

export interface CallObserver {
  /** Called once when a call has been received. */
  started(call: ObservedCall): void;
  /** Called once for each started call. `code` is the status in Go's words: `OK`, `NotFound`. */
  handled(call: ObservedCall, code: string, seconds: number): void;
  /** A handler threw what is neither a refusal nor a fault. The caller got INTERNAL. */
  bug(error: unknown, method: string): void;
}

/** What a handler learns of its call. */
export interface CallContext {
  readonly caller: Caller;
  /** `/trainyard.v1.JobService/SubmitJob`. */
  readonly method: string;
  /** UTC milliseconds after which nobody waits for the reply; null = no limit. */
  readonly deadlineMs: number | null;
  /** Aborts when the client is gone, its time is up or, for streams, the server stops. */
  readonly signal: AbortSignal;
}

/** What the interceptor knows of a call and the handler wrappers need. */
export interface CallFrame {
  readonly caller: Caller;
  readonly method: string;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  readonly observer: CallObserver;
}

// grpc-js hands the handler the very Metadata object that passed the interceptor: the one link
// there is between the two.
const frames = new WeakMap<Metadata, CallFrame>();

/** Throws when the server was made without the interceptor. */
export function frameOf(metadata: Metadata): CallFrame {
  return must(frames.get(metadata), "call frame: the server has no call interceptor");
}

export interface InterceptorOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly stopping: AbortSignal;
  readonly observer: CallObserver;
}

export function createCallInterceptor(options: InterceptorOptions): ServerInterceptor {
  const methods = new Map<string, ObservedCall>();
  return (descriptor, call) => {
    const method = methods.get(descriptor.path) ?? observedCall(descriptor);
    methods.set(descriptor.path, method);
    const observed = observe(method, options);
    const intercepting = new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const caller = decodeCaller(metadata);
            if (caller === null) return intercepting.sendStatus(badCaller());
            const { stopping, observer } = options;
            frames.set(metadata, { caller, method: descriptor.path, stopping, observer });
            proceed(metadata);
          },
          onCancel: () => observed(status.CANCELLED),
        }),
      sendStatus: (outcome, next) => {
        observed(outcome.code ?? status.UNKNOWN);
        next(outcome);
      },
    });
    return intercepting;
  };
}

type Descriptor = Pick<
  ServerMethodDefinition<unknown, unknown>,
  "path" | "requestStream" | "responseStream"
>;

function observedCall({ path, requestStream, responseStream }: Descriptor): ObservedCall {
  const [, service = "", method = ""] = path.split("/");
  if (requestStream) {
    return { kind: responseStream ? "bidi_stream" : "client_stream", service, method };
  }
  return { kind: responseStream ? "server_stream" : "unary", service, method };
}

/** Returns the function that reports the end, whichever comes first. */
function observe(call: ObservedCall, options: InterceptorOptions): (code: status) => void {
  const startedMs = options.clock.monotonicMs();
  let isHandled = false;
  options.observer.started(call);
  return (code) => {
    if (isHandled) return;
    isHandled = true;
    const seconds = (options.clock.monotonicMs() - startedMs) / 1_000;
    options.observer.handled(call, codeName(code), seconds);
  };
}

/** `NOT_FOUND` → `NotFound`: dashboards and alert rules know the codes by Go's names. */
function codeName(code: status): string {
  if (code === status.OK) return "OK";
  if (code === status.CANCELLED) return "Canceled";
  const words = (status[code] ?? "UNKNOWN").toLowerCase().split("_");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** Null when a header is there and is no name. */
function decodeCaller(metadata: Metadata): Caller | null {
  const tenant = metadata.get(TENANT_HEADER)[0] ?? DEFAULT_CALLER.tenant;
  const user = metadata.get(USER_HEADER)[0] ?? DEFAULT_CALLER.user;
  if (typeof tenant !== "string" || typeof user !== "string") return null;
  return CALLER_NAME.test(tenant) && CALLER_NAME.test(user) ? { tenant, user } : null;
}

const badCaller = (): ReturnType<typeof refusalStatus> =>
  refusalStatus(
    refuse(
      "INVALID_SPEC",
      `The header ${TENANT_HEADER} or ${USER_HEADER} is not a name.`,
      "Use letters, digits and `._@+-`, at most 128 of them.",
      TENANT_HEADER,
    ),
  );
