// The composition root of the agent: joins its shell to the scheduler's connection, the object store,
// checkpoints and the tracker.

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent } from "./agent/agent.ts";
import { agentMetrics } from "./agent/agent-metrics.ts";
import { addressFacing } from "./agent/local-address.ts";
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
import type { ClientTls } from "./rpc/listen.ts";
import { decodeService } from "./rpc/loader.ts";
import { SPOT_LABEL } from "./scheduler/core/topology.ts";
import { REAL_CLOCK } from "./wire-clock.ts";

/** Checkpoint files that a node remembers, so that a job that comes back need not fetch them. */
const CACHE_BYTES_MAX = 50 * 1024 ** 3;

const MIB_BYTES = 1024 ** 2;

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
  const address =
    options.advertiseAddress ?? (await addressFacing(splitAddress(options.scheduler), signal));
  if (address === null) return 0;
  const tls = await readTls(options);
  const link = connect(options, tls, options.scheduler);
  const cluster = new ClusterLinks(options, tls);
  const agent = new Agent(
    {
      node: options.name,
      stateDir: options.stateDir,
      address,
      python: options.python,
      labels: options.spot ? { ...options.labels, [SPOT_LABEL]: "true" } : options.labels,
      version: packageVersion(),
      virtualGpus: options.virtualGpus,
      diskLimits: {
        minBytes: options.diskFreeMin * MIB_BYTES,
        enoughBytes: options.diskFreeEnough * MIB_BYTES,
      },
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
    return (this.#store ??= this.#openStore(this.#info.objectStore));
  }

  #openStore(url: string): Promise<ObjectStore> {
    const opening = openObjectStore(url, { create: false, clock: REAL_CLOCK });
    opening.catch(() => {
      if (this.#store === opening) this.#store = null;
    });
    return opening;
  }

  tracker(): TrackerSink {
    if (this.#info === null) throw notJoined();
    const address = this.#info.trackerAddress || this.#options.scheduler;
    if (this.#tracker === null) {
      const connection = connect(this.#options, this.#tls, address);
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
  link: Connection,
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
    makeRoom: () => cache.clear(),
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
    dropUpload: async (...args) => (await cluster.store()).dropUpload(...args),
    get: async (...args) => (await cluster.store()).get(...args),
    getFile: async (...args) => (await cluster.store()).getFile(...args),
    head: async (...args) => (await cluster.store()).head(...args),
    list: async function* (...args) {
      yield* (await cluster.store()).list(...args);
    },
    unfinished: async function* (...args) {
      yield* (await cluster.store()).unfinished(...args);
    },
    dropUnfinished: async (...args) => (await cluster.store()).dropUnfinished(...args),
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

function schedulerPort(link: Connection): SchedulerPort {
  const { Connect, Channel } = decodeService("AgentService");
  return { connect: () => link.duplex(Connect), channel: () => link.duplex(Channel) };
}

function connect(options: AgentOptions, tls: ClientTls | null, address: string): Connection {
  const caller = { tenant: "default", user: `agent.${options.name}` };
  return new Connection({ address, caller, tls });
}

async function serveMetrics(
  options: AgentOptions,
  agent: Agent,
  log: Logger,
): Promise<HttpServer | null> {
  if (options.metricsListen === null) return null;
  const metrics = new MetricsRegistry(() => REAL_CLOCK.monotonicMs());
  metrics.measureProcess();
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
