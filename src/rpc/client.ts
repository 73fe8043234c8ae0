// The client's end: one connection to a server, and the four kinds of calls over it as promises and
// iterables. Every unary call has a deadline; every error is a RemoteError.

import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  Metadata,
} from "@grpc/grpc-js";
import type { MethodDefinition } from "@grpc/proto-loader";
import { type Caller, TENANT_HEADER, USER_HEADER } from "./call-context.ts";
import { type ClientTls, clientCredentials } from "./listen.ts";
import { decodeRemoteError } from "./remote-error.ts";
import { MESSAGE_BYTES_MAX } from "./limits.ts";
import { createSink, incoming, type Sink } from "./streams.ts";

export interface ConnectionOptions {
  /** `host:port`. */
  readonly address: string;
  readonly caller: Caller;
  /** Null = plain text. */
  readonly tls: ClientTls | null;
  /** For calls that name none; default 15 s. */
  readonly timeoutMs?: number;
}

export interface CallOptions {
  /** For a unary call, instead of the connection's; for a stream, instead of no limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Replies of a stream. Iterating throws a RemoteError when the call fails. */
export interface ReplyStream<Res> extends AsyncIterable<Res> {
  /** Ends the call from this side; iterating then throws CALL_CANCELLED. */
  cancel(): void;
}

export interface Duplex<Req, Res> extends ReplyStream<Res>, Sink<Req> {
  /** Nothing more will be sent. */
  end(): void;
}

type Method<Req, Res, ReqOut, ResOut> = MethodDefinition<Req, Res, ReqOut, ResOut>;

const DEFAULT_TIMEOUT_MS = 15_000;

/**
 * Calls take a method of a definition: `connection.unary(decodeService("JobService").GetJob, …)`.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #client: Client;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const security = clientCredentials(options.tls, options.address);
    this.#client = new Client(options.address, security.credentials, {
      ...security.options,
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 10_000,
      "grpc.keepalive_permit_without_calls": 1,
      "grpc.initial_reconnect_backoff_ms": 200,
      // Far below an agent's lease: a scheduler that is back must be found before that ends.
      "grpc.max_reconnect_backoff_ms": 2_000,
      // A cluster's own traffic goes through no web proxy.
      "grpc.enable_http_proxy": 0,
    });
  }

  get address(): string {
    return this.#options.address;
  }

  /** Throws a RemoteError. */
  unary<Req, Res, ReqOut, ResOut>(
    method: Method<Req, Res, ReqOut, ResOut>,
    request: Req,
    options: CallOptions = {},
  ): Promise<ResOut> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata(),
        { deadline: Date.now() + timeoutMs },
        settle(resolve, reject, this.address),
      );
      cancelOn(options.signal, call);
    });
  }

  serverStream<Req, Res, ReqOut, ResOut>(
    method: Method<Req, Res, ReqOut, ResOut>,
    request: Req,
    options: CallOptions = {},
  ): ReplyStream<ResOut> {
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      this.#metadata(),
      streamOptions(options),
    );
    cancelOn(options.signal, call);
    return replies(call, this.address);
  }

  /** The bare grpc-js stream, for who keeps its own account of what it sends. */
  duplex<Req, Res, ReqOut, ResOut>(
    method: Method<Req, Res, ReqOut, ResOut>,
    options: CallOptions = {},
  ): ClientDuplexStream<Req, ResOut> {
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      this.#metadata(),
      streamOptions(options),
    );
    cancelOn(options.signal, call);
    return call;
  }

  bidiStream<Req, Res, ReqOut, ResOut>(
    method: Method<Req, Res, ReqOut, ResOut>,
    options: CallOptions = {},
  ): Duplex<Req, ResOut> {
    const call = this.duplex(method, options);
    const sink = createSink<Req>(call, endOf(call, this.address));
    return {
      ...replies(call, this.address),
      send: (request) => sink.send(request),
      end: () => void call.end(),
    };
  }

  /**
   * Sends `requests` as fast as the server takes them, and gives its reply. Throws a RemoteError.
   */
  clientStream<Req, Res, ReqOut, ResOut>(
    method: Method<Req, Res, ReqOut, ResOut>,
    requests: AsyncIterable<Req> | Iterable<Req>,
    options: CallOptions = {},
  ): Promise<ResOut> {
    return new Promise((resolve, reject) => {
      const ended = new AbortController();
      const answer = settle(resolve, reject, this.address);
      const call = this.#client.makeClientStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        this.#metadata(),
        streamOptions(options),
        (error, reply) => {
          ended.abort(new Error("the call has ended"));
          answer(error, reply);
        },
      );
      cancelOn(options.signal, call);
      const sink = createSink<Req>(call, ended.signal);
      sendAll(requests, sink, ended.signal).then(
        () => call.end(),
        (error: unknown) => {
          reject(error);
          call.cancel();
        },
      );
    });
  }

  /** Ends the connection; calls in flight fail. */
  close(): void {
    this.#client.close();
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set(TENANT_HEADER, this.#options.caller.tenant);
    metadata.set(USER_HEADER, this.#options.caller.user);
    return metadata;
  }
}

const streamOptions = ({ timeoutMs }: CallOptions): { deadline?: number } =>
  timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };

function settle<T>(
  resolve: (reply: T) => void,
  reject: (error: unknown) => void,
  server: string,
): (error: unknown, reply: T | undefined) => void {
  return (error, reply) => {
    if (error === null && reply !== undefined) resolve(reply);
    else reject(decodeRemoteError(error, server));
  };
}

function cancelOn(signal: AbortSignal | undefined, call: CancellableCall): void {
  if (signal === undefined) return;
  const cancel = (): void => call.cancel();
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
  call.on("status", () => signal.removeEventListener("abort", cancel));
}

interface CancellableCall {
  cancel(): void;
  on(event: "status", listener: () => void): unknown;
}

/** A reply may come before all is sent: then the rest is not needed. */
async function sendAll<Req>(
  requests: AsyncIterable<Req> | Iterable<Req>,
  sink: Sink<Req>,
  ended: AbortSignal,
): Promise<void> {
  for await (const request of requests) {
    if (ended.aborted) return;
    await sink.send(request).catch((error: unknown) => {
      if (!ended.aborted) throw error;
    });
  }
}

function replies<Res>(call: ClientReadableStream<Res>, server: string): ReplyStream<Res> {
  // grpc-js emits an error once and then ends the stream as if all were well: remember it for a
  // reader that comes later.
  let failure: unknown = null;
  call.on("error", (error) => {
    failure = error;
  });
  return {
    cancel: () => call.cancel(),
    async *[Symbol.asyncIterator]() {
      try {
        for await (const reply of incoming<Res>(call)) yield reply;
      } catch (error) {
        failure ??= error;
      }
      if (failure !== null) throw decodeRemoteError(failure, server);
    },
  };
}

/** Falls when the call is over, with its error: so that a waiting sender learns of it. */
function endOf<Req, Res>(call: ClientDuplexStream<Req, Res>, server: string): AbortSignal {
  const ended = new AbortController();
  call.on("error", (error) => ended.abort(decodeRemoteError(error, server)));
  call.on("status", () => ended.abort(decodeRemoteError(new Error("the call is over"), server)));
  return ended.signal;
}
