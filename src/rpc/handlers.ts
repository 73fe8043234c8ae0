// The four kinds of gRPC calls as plain async functions: a handler gets a decoded message and the
// call's context and returns a reply or a refusal. What it throws becomes a status here and nowhere
// else. Short calls run to their end when the server stops; streams end at once with UNAVAILABLE.

import { setMaxListeners } from "node:events";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  StatusObject,
} from "@grpc/grpc-js";
import { type Refusal, RefusalError, refuse } from "../base/errors.ts";
import { type CallContext, type Caller, type CallFrame, frameOf } from "./call-context.ts";
import { createSink, requestsOf, type Sink } from "./streams.ts";
import { bugStatus, isRefusal, refusalStatus, thrownStatus } from "./status.ts";

export function unary<Req, Res>(
  handle: (request: Req, context: CallContext) => Promise<Res | Refusal>,
): handleUnaryCall<Req, Res> {
  return (call, callback) => {
    const { frame, context } = shortCall(call);
    void outcomeOf(frame, context, () => handle(call.request, context)).then((outcome) =>
      outcome.kind === "reply" ? callback(null, outcome.reply) : callback(outcome.status),
    );
  };
}

/** The reply may come before the client has sent everything; the rest is then thrown away. */
export function clientStream<Req, Res>(
  handle: (requests: AsyncIterable<Req>, context: CallContext) => Promise<Res | Refusal>,
): handleClientStreamingCall<Req, Res> {
  return (call, callback) => {
    const { frame, context } = shortCall(call);
    const requests = requestsOf<Req>(call, context.signal);
    void outcomeOf(frame, context, () => handle(requests, context)).then((outcome) => {
      call.resume();
      if (outcome.kind === "reply") callback(null, outcome.reply);
      else callback(outcome.status);
    });
  };
}

export function serverStream<Req, Res>(
  handle: (request: Req, replies: Sink<Res>, context: CallContext) => Promise<Refusal | undefined>,
): handleServerStreamingCall<Req, Res> {
  return (call) => {
    const stream = longCall(call);
    const replies = createSink<Res>(call, stream.context.signal);
    endStream(call, stream, () => handle(call.request, replies, stream.context));
  };
}

export function bidiStream<Req, Res>(
  handle: (
    requests: AsyncIterable<Req>,
    replies: Sink<Res>,
    context: CallContext,
  ) => Promise<Refusal | undefined>,
): handleBidiStreamingCall<Req, Res> {
  return (call) => {
    const stream = longCall(call);
    const replies = createSink<Res>(call, stream.context.signal);
    const requests = requestsOf<Req>(call, stream.context.signal);
    endStream(call, stream, () => handle(requests, replies, stream.context));
  };
}

/** The reason of a stream's signal when the server stops. */
const STOPPING = new RefusalError(
  refuse("SHUTTING_DOWN", "The server is stopping.", "Connect again in a moment."),
);
const GONE = new RefusalError(refuse("CALL_CANCELLED", "The client has ended the call.", ""));

interface Call {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getDeadline(): Date | number;
  on(event: "cancelled", listener: () => void): unknown;
}

interface StreamCall extends Call {
  end(): unknown;
  emit(event: "error", error: StatusObject): boolean;
}

interface Opened {
  readonly frame: CallFrame;
  readonly context: OpenCall;
}

interface OpenedStream extends Opened {
  /** Ends the watch over the server's stopping: it outlives every call. */
  readonly release: () => void;
}

function shortCall(call: Call): Opened {
  const frame = frameOf(call.metadata);
  return { frame, context: new OpenCall(call, frame) };
}

function longCall(call: Call): OpenedStream {
  const { frame, context } = shortCall(call);
  const { stopping } = frame;
  const stop = (): void => context.abort(STOPPING);
  stopping.addEventListener("abort", stop);
  if (stopping.aborted) stop();
  return { frame, context, release: () => stopping.removeEventListener("abort", stop) };
}

/**
 * The signal is made when it is asked for: most short calls never do, and it costs 5 µs. A class,
 * for an object literal with a getter gets a hidden class of its own each time it is evaluated, and
 * that keeps the whole call in memory until the next full collection.
 */
class OpenCall implements CallContext {
  readonly caller: Caller;
  readonly method: string;
  readonly deadlineMs: number | null;
  readonly #call: Call;
  #controller: AbortController | null = null;

  constructor(call: Call, { caller, method }: CallFrame) {
    const deadlineMs = Number(call.getDeadline());
    this.caller = caller;
    this.method = method;
    this.deadlineMs = Number.isFinite(deadlineMs) ? deadlineMs : null;
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#made().signal;
  }

  abort(why: RefusalError): void {
    this.#made().abort(why);
  }

  #made(): AbortController {
    if (this.#controller !== null) return this.#controller;
    const controller = new AbortController();
    this.#controller = controller;
    // A reader of a large gang's logs has a listener for each rank.
    setMaxListeners(0, controller.signal);
    if (this.#call.cancelled) controller.abort(GONE);
    else this.#call.on("cancelled", () => controller.abort(GONE));
    return controller;
  }
}

type Outcome<T> =
  | { readonly kind: "reply"; readonly reply: T }
  | { readonly kind: "status"; readonly status: StatusObject };

/** Never rejects. */
async function outcomeOf<T>(
  frame: CallFrame,
  context: CallContext,
  handle: () => Promise<T | Refusal>,
): Promise<Outcome<T>> {
  try {
    const answer = await handle();
    if (!isRefusal(answer)) return { kind: "reply", reply: answer };
    return { kind: "status", status: refusalStatus(answer) };
  } catch (error) {
    return { kind: "status", status: failure(error, frame, context) };
  }
}

/** What is thrown after the signal fell is its echo. */
function failure(error: unknown, frame: CallFrame, context: CallContext): StatusObject {
  const known = thrownStatus(context.signal.aborted ? context.signal.reason : error);
  if (known !== null) return known;
  frame.observer.bug(error, frame.method);
  return bugStatus();
}

function endStream(
  call: StreamCall,
  { frame, context, release }: OpenedStream,
  handle: () => Promise<Refusal | undefined>,
): void {
  let isOver = false;
  const finish = (outcome: Outcome<undefined>): void => {
    if (isOver) return;
    isOver = true;
    release();
    if (outcome.kind === "reply") call.end();
    else call.emit("error", outcome.status);
  };
  // At once, even when the handler is slow to notice: the client is to go elsewhere.
  const abort = (): void => finish({ kind: "status", status: failure(null, frame, context) });
  if (context.signal.aborted) return abort();
  context.signal.addEventListener("abort", abort, { once: true });
  void outcomeOf(frame, context, handle).then(finish);
}
