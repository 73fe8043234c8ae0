// The daemon's HTTP server: a table of routes over node:http. Owns matching, errors and shutdown; each
// route owns its answer. Later features add routes and change nothing here.

import http from "node:http";
import type { AddressInfo } from "node:net";
import { Fault } from "../base/errors.ts";
import type { Logger } from "./log.ts";

export interface HttpRequest {
  readonly raw: http.IncomingMessage;
  /** Without the query. */
  readonly path: string;
  /** What the `*` at the end of the route's path stands for; else empty. */
  readonly rest: string;
  readonly query: URLSearchParams;
}

export interface HttpRoute {
  /** `GET` also answers `HEAD`. */
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The whole path, or a beginning that ends in `/*`. The longest that fits is taken. */
  readonly path: string;
  /** Answers through `response`, at once or as a stream. A throw becomes a 500. */
  handle(request: HttpRequest, response: http.ServerResponse): void | Promise<void>;
}

export interface HttpServerOptions {
  readonly routes: readonly HttpRoute[];
  readonly logger: Logger;
}

const CONNECTIONS_MAX = 2_000;
const HEADERS_MS_MAX = 10_000;
/** What open streams get to end by themselves when the server stops. */
const STOP_MS_MAX = 2_000;

export class HttpServer {
  readonly #server: http.Server;
  readonly #routes: readonly HttpRoute[];
  readonly #logger: Logger;

  constructor(options: HttpServerOptions) {
    this.#routes = options.routes.toSorted((a, b) => b.path.length - a.path.length);
    this.#logger = options.logger;
    this.#server = http.createServer((raw, response) => void this.#answer(raw, response));
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.headersTimeout = HEADERS_MS_MAX;
  }

  /** Port 0 takes a free one. Throws a `Fault` that names the address when it is taken. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (cause) => reject(listenFault(host, port, cause)));
      this.#server.listen(port, host, () => {
        const address = this.#server.address();
        if (typeof address === "object" && address !== null) resolve(address);
        else reject(listenFault(host, port, new Error("it has no address")));
      });
    });
  }

  /** Takes no more requests, lets those under way end for 2 s, then cuts them off. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => this.#server.closeAllConnections(), STOP_MS_MAX);
    await closed;
    clearTimeout(cut);
  }

  async #answer(raw: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    try {
      const url = new URL(raw.url ?? "/", "http://localhost");
      const found = this.#find(raw.method ?? "GET", url.pathname);
      if (found === null) return sendNotFound(response, url.pathname);
      if (found.kind === "other-method") return sendWrongMethod(response, found.allowed);
      const { route, rest } = found;
      await route.handle({ raw, path: url.pathname, rest, query: url.searchParams }, response);
    } catch (error) {
      this.#logger.error({ error, path: raw.url }, "An HTTP request failed");
      if (response.headersSent) response.destroy();
      else send(response, 500, "text/plain", "Internal error; the daemon's log says more.\n");
    }
  }

  #find(method: string, path: string): Found | null {
    const wanted = method === "HEAD" ? "GET" : method;
    const fitting = this.#routes.filter((route) => restOf(route, path) !== null);
    const route = fitting.find((candidate) => candidate.method === wanted);
    if (route !== undefined) return { kind: "route", route, rest: restOf(route, path) ?? "" };
    if (fitting.length === 0) return null;
    return { kind: "other-method", allowed: fitting.map((candidate) => candidate.method) };
  }
}

type Found =
  | { readonly kind: "route"; readonly route: HttpRoute; readonly rest: string }
  | { readonly kind: "other-method"; readonly allowed: readonly string[] };

/** Answers with a whole body. */
export function send(
  response: http.ServerResponse,
  status: number,
  contentType: string,
  body: string | Buffer,
): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "x-content-type-options": "nosniff",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

export function sendJson(response: http.ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json", `${JSON.stringify(value)}\n`);
}

function restOf(route: HttpRoute, path: string): string | null {
  if (!route.path.endsWith("/*")) return route.path === path ? "" : null;
  const start = route.path.slice(0, -1);
  return path.startsWith(start) ? path.slice(start.length) : null;
}

function sendNotFound(response: http.ServerResponse, path: string): void {
  send(response, 404, "text/plain", `There is nothing at ${path}.\n`);
}

function sendWrongMethod(response: http.ServerResponse, allowed: readonly string[]): void {
  response.setHeader("allow", allowed.join(", "));
  send(response, 405, "text/plain", `This path takes ${allowed.join(", ")}.\n`);
}

function listenFault(host: string, port: number, cause: Error): Fault {
  return new Fault(
    "ADDRESS_NOT_USABLE",
    `Cannot listen for HTTP on ${host}:${port}: ${cause.message}. ` +
      "Stop what uses the address, or give another one " +
      "(--http-listen, or --http-port of `up`; 0 = any free port).",
    { cause, isRetryable: false },
  );
}
