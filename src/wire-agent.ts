// The composition root of the agent: joins its shell to the scheduler's connection, the object store,
// checkpoints and the tracker.

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { Client, type ClientDuplexStream } from "@grpc/grpc-js";
import type { MethodDefinition } from "@grpc/proto-loader";
import { Agent } from "./agent/agent.ts";
import { agentMetrics } from "./agent/agent-metrics.ts";
import type { AgentPorts, ClusterInfo, MetricSink, SchedulerPort } from "./agent/ports.ts";
import { TrackerSink } from "./agent/tracker-sink.ts";
import { Fault, RefusalError } from "./base/errors.ts";
import { createBlobCache } from "./checkpoint/blob-cache.ts";
import { fetchBundle } from "./checkpoint/bundle-fetch.ts";
import { restoreCheckpoint } from "./checkpoint/restore.ts";
import { createCheckpointWatch } from "./checkpoint/watch.ts";
import { packageVersion } from "./cli/version.ts";
import type { AgentOptions } from "./config/agent-options.ts";
import { splitAddress } from "./config/listen-rules.ts";
import { openObjectStore } from "./objects/open.ts";
import type { ObjectStore } from "./objects/port.ts";
import { Health } from "./obs/health.ts";
import { HttpServer } from "./obs/http.ts";
import { createLogger, type Logger } from "./obs/log.ts";
import { MetricsRegistry } from "./obs/metrics.ts";
import { operationsRoutes } from "./obs/operations-routes.ts";
import { Connection } from "./rpc/client.ts";
import { MESSAGE_BYTES_MAX } from "./rpc/limits.ts";
import { type ClientTls, clientCredentials } from "./rpc/listen.ts";
import { decodeService } from "./rpc/loader.ts";
import { REAL_CLOCK } from "./wire-clock.ts";

/** Checkpoint files that a node remembers, so that a job that comes back need not fetch them. */
const CACHE_BYTES_MAX = 50 * 1024 ** 3;

export interface AgentRun {
  /** True: its tasks end with it (`trainyard up`), instead of going on under their supervisors. */
  readonly endsTasks: boolean;
}

/** Resolves to the exit code once the signal is aborted and the agent has stopped. */
export async function runAgent(
  options: AgentOptions,
  signal: AbortSignal,
  run: AgentRun = { endsTasks: false },
): Promise<number> {
  const log = createLogger({ level: options.logLevel, name: "agent", style: "auto" });
  const tls = await readTls(options);
  const security = clientCredentials(tls, options.scheduler);
  const link = new Client(options.scheduler, security.credentials, {
    ...security.options,
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 2_000,
    "grpc.enable_http_proxy": 0,
  });
  const cluster = new ClusterLinks(options, tls);
  const address = options.advertiseAddress ?? (await addressFacing(options.scheduler, signal));
  const agent = new Agent(
    {
      node: options.name,
      stateDir: options.stateDir,
      address,
      python: options.python,
      labels: options.labels,
      version: packageVersion(),
      virtualGpus: options.virtualGpus,
      env: process.env,
      mlflowTrackingUri: () => "",
    },
    agentPorts(link, cluster, log, options.stateDir),
  );
  const http = await serveMetrics(options, agent, log);
  await agent.start();
  log.info({ node: options.name, address, scheduler: options.scheduler }, "The agent is up");
  await aborted(signal);
  await agent.stop({ tasks: run.endsTasks });
  await http?.close();
  await cluster.close();
  link.close();
  return 0;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

async function readTls(options: AgentOptions): Promise<ClientTls | null> {
  if (options.ca !== null) return { ca: await readFile(options.ca), identity: null };
  return options.tls ? { ca: null, identity: null } : null;
}

/** This machine's own address on the way to the scheduler: what the other nodes are told. */
async function addressFacing(scheduler: string, signal: AbortSignal): Promise<string> {
  const { host, port } = splitAddress(scheduler);
  for (;;) {
    const found = await localAddress(host, port);
    if (found !== null) return found;
    if (signal.aborted) return "127.0.0.1";
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function localAddress(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    socket.once("connect", () => {
      resolve(socket.localAddress ?? null);
      socket.destroy();
    });
    socket.once("error", () => resolve(null));
  });
}

/** Store and tracker as the scheduler names them; they may change with a new welcome. */
class ClusterLinks {
  readonly #options: AgentOptions;
  readonly #tls: ClientTls | null;
  #info: ClusterInfo | null = null;
  #store: Promise<ObjectStore> | null = null;
  #tracker: { readonly connection: Connection; readonly sink: TrackerSink } | null = null;

  constructor(options: AgentOptions, tls: ClientTls | null) {
    this.#options = options;
    this.#tls = tls;
  }

  changed(info: ClusterInfo): void {
    const before = this.#info;
    this.#info = info;
    if (before?.objectStore !== info.objectStore) void this.#closeStore();
    if (before?.trackerAddress !== info.trackerAddress) this.#closeTracker();
  }

  /** Opened on first use, and again after a failure. */
  store(): Promise<ObjectStore> {
    if (this.#info === null) return Promise.reject(notJoined());
    this.#store ??= openObjectStore(this.#info.objectStore, { create: false, clock: REAL_CLOCK });
    this.#store.catch(() => {
      this.#store = null;
    });
    return this.#store;
  }

  tracker(): TrackerSink {
    if (this.#info === null) throw notJoined();
    const address = this.#info.trackerAddress || this.#options.scheduler;
    if (this.#tracker === null) {
      const caller = { tenant: "default", user: `agent.${this.#options.name}` };
      const connection = new Connection({ address, caller, tls: this.#tls });
      this.#tracker = { connection, sink: new TrackerSink(connection) };
    }
    return this.#tracker.sink;
  }

  async close(): Promise<void> {
    this.#closeTracker();
    await this.#closeStore();
  }

  #closeTracker(): void {
    this.#tracker?.sink.close();
    this.#tracker?.connection.close();
    this.#tracker = null;
  }

  async #closeStore(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    if (store === null) return;
    try {
      await (await store).close();
    } catch (error) {
      // It never opened: who wanted it was told then.
      if (!(error instanceof Fault || error instanceof RefusalError)) throw error;
    }
  }
}

function notJoined(): Fault {
  return new Fault("SERVER_UNREACHABLE", "The agent has not joined its scheduler yet.");
}

function agentPorts(
  link: Client,
  cluster: ClusterLinks,
  log: Logger,
  stateDir: string,
): AgentPorts {
  const cache = createBlobCache({ dir: join(stateDir, "blobs"), maxBytes: CACHE_BYTES_MAX });
  const objects = lazyStore(cluster);
  return {
    scheduler: schedulerPort(link),
    bundles: { fetch: (digest, destDir) => fetchBundle(objects, digest, destDir) },
    checkpoints: {
      restore: async (resume, destDir, { jobId, signal }) => {
        const deps = { objects: await cluster.store(), cache };
        await restoreCheckpoint(deps, { ...resume, jobId, destDir, signal });
      },
    },
    checkpointWatch: createCheckpointWatch({ objects, clock: REAL_CLOCK, log, cache }),
    metrics: metricSink(cluster),
    onCluster: (info) => cluster.changed(info),
    log,
    random: Math.random,
    newId: randomUUID,
  };
}

/** Each call is made to the store as it is then. */
function lazyStore(cluster: ClusterLinks): ObjectStore {
  return {
    get name() {
      return "the object store";
    },
    put: async (...args) => (await cluster.store()).put(...args),
    putFile: async (...args) => (await cluster.store()).putFile(...args),
    get: async (...args) => (await cluster.store()).get(...args),
    getFile: async (...args) => (await cluster.store()).getFile(...args),
    head: async (...args) => (await cluster.store()).head(...args),
    list: async function* (...args) {
      yield* (await cluster.store()).list(...args);
    },
    delete: async (...args) => (await cluster.store()).delete(...args),
    close: async () => undefined,
  };
}

function metricSink(cluster: ClusterLinks): MetricSink {
  return {
    position: async (source) => cluster.tracker().position(source),
    store: async (batch) => cluster.tracker().store(batch),
  };
}

function schedulerPort(link: Client): SchedulerPort {
  const { Connect, Channel } = decodeService("AgentService");
  return { connect: () => duplex(link, Connect), channel: () => duplex(link, Channel) };
}

function duplex<Req, Res, ReqOut, ResOut>(
  link: Client,
  method: MethodDefinition<Req, Res, ReqOut, ResOut>,
): ClientDuplexStream<Req, ResOut> {
  const { path, requestSerialize, responseDeserialize } = method;
  return link.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
}

async function serveMetrics(
  options: AgentOptions,
  agent: Agent,
  log: Logger,
): Promise<HttpServer | null> {
  if (options.metricsListen === null) return null;
  const metrics = new MetricsRegistry(() => REAL_CLOCK.monotonicMs());
  agentMetrics(metrics, agent);
  const health = new Health();
  health.add("scheduler", () => ({
    isOk: agent.isConnected,
    detail: `no stream to ${options.scheduler}`,
  }));
  const routes = operationsRoutes({ metrics, jobMetrics: null, health, agents: () => [] });
  const http = new HttpServer({ routes, logger: log });
  const { host, port } = splitAddress(options.metricsListen);
  await http.listen(host, port);
  return http;
}
