// The composition root of the control plane: the writer loop over its log, the services and agent
// sessions on gRPC, the tracker, the checkpoint committer, and HTTP for operators.

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { announce, writeAtomic } from "./agent/files.ts";
import { RefusalError } from "./base/errors.ts";
import { queuePath } from "./base/ids.ts";
import { createCommitter } from "./checkpoint/commit.ts";
import { loadBlobsOf } from "./checkpoint/documents-io.ts";
import { packageVersion } from "./cli/version.ts";
import { hostOf, splitAddress } from "./config/listen-rules.ts";
import { readPolicyFile } from "./config/policy-file.ts";
import { readQueuesFile } from "./config/queues-file.ts";
import type { SchedulerOptions } from "./config/scheduler-options.ts";
import { openObjectStore } from "./objects/open.ts";
import type { ObjectStore } from "./objects/port.ts";
import { GrpcMetrics } from "./obs/grpc-metrics.ts";
import { Health } from "./obs/health.ts";
import { HttpServer } from "./obs/http.ts";
import { createLogger, type Logger } from "./obs/log.ts";
import { MetricsRegistry } from "./obs/metrics.ts";
import { operationsRoutes } from "./obs/operations-routes.ts";
import { isRefusal } from "./rpc/status.ts";
import type { ServerTls } from "./rpc/listen.ts";
import { RpcServer } from "./rpc/server.ts";
import { Bundles } from "./scheduler/bundles.ts";
import { Channels } from "./scheduler/channels.ts";
import { CheckpointCommitter } from "./scheduler/committer.ts";
import type { Envelope } from "./scheduler/core/commands.ts";
import { completeQueueSpec } from "./scheduler/core/queue-spec.ts";
import { DEFAULT_POLICY, type Policy, type QueueSpec } from "./scheduler/core/state.ts";
import { type ForecastMemory, Forecasts } from "./scheduler/forecasts.ts";
import { changedJobs, jobFacts } from "./scheduler/job-runs-feed.ts";
import { DEFAULT_LOOP_LIMITS, SchedulerLoop } from "./scheduler/loop.ts";
import { AgentSessions } from "./scheduler/sessions.ts";
import { openSchedulerStore, type SchedulerStore } from "./scheduler/loop-store.ts";
import { REAL_TIMERS } from "./scheduler/loop-timers.ts";
import { agentTargets } from "./scheduler/metrics-cluster.ts";
import { eventMetrics, forecastMetrics, runningJobMetrics } from "./scheduler/metrics-jobs.ts";
import { loopMetrics, stateMetrics, sweepMetrics } from "./scheduler/metrics.ts";
import { createAgentService } from "./scheduler/service-agents.ts";
import { createCheckpointService } from "./scheduler/service-checkpoints.ts";
import { JobIndex } from "./scheduler/service-job-index.ts";
import { createJobService, type JobServiceParts } from "./scheduler/service-jobs.ts";
import { JobLogs } from "./scheduler/service-logs.ts";
import { createNodeService } from "./scheduler/service-nodes.ts";
import { createPolicyService } from "./scheduler/service-policy.ts";
import { createQueueService } from "./scheduler/service-queues.ts";
import { JobWatch } from "./scheduler/service-watch.ts";
import { Sweep } from "./scheduler/sweep.ts";
import { StepForecasts } from "./scheduler/step-forecasts.ts";
import { JobRuns } from "./tracker/job-runs.ts";
import { commitMetrics, trackerGauges } from "./tracker/metrics.ts";
import { trackerService } from "./tracker/service.ts";
import { Tracker } from "./tracker/tracker.ts";
import { REAL_CLOCK } from "./wire-clock.ts";
import { Parts } from "./wire-parts.ts";

export interface RunningScheduler {
  /** `host:port`, with the port that was really taken. */
  readonly grpc: string;
  readonly http: string;
  connectedNodes(): number;
  /** Resolves when the log could not be written or a bug was found: the process must end. */
  readonly failed: Promise<void>;
  stop(): Promise<void>;
}

/** Where agents serve their own metrics unless told otherwise. */
const AGENT_METRICS_PORT = 7072;
const MARGIN_MS = 5_000;
const DEFAULT_QUEUE = completeQueueSpec({ path: queuePath("default"), order: "las" });

/** Resolves to the exit code once the signal is aborted, or the scheduler had to end by itself. */
export async function runScheduler(
  options: SchedulerOptions,
  signal: AbortSignal,
): Promise<number> {
  const running = await startScheduler(options);
  const asked = new Promise<number>((resolve) => {
    if (signal.aborted) resolve(0);
    signal.addEventListener("abort", () => resolve(0), { once: true });
  });
  const code = await Promise.race([asked, running.failed.then(() => 1)]);
  await running.stop();
  return code;
}

export async function startScheduler(options: SchedulerOptions): Promise<RunningScheduler> {
  const log = createLogger({ level: options.logLevel, name: "scheduler", style: "auto" });
  const parts = new Parts();
  try {
    return await assemble(options, log, parts);
  } catch (error) {
    await parts
      .stop()
      .catch((other: unknown) => log.error({ error: other }, "Stopping what had started failed"));
    throw error;
  }
}

interface Base {
  readonly options: SchedulerOptions;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly parts: Parts;
}

interface Assembly extends Base {
  readonly objects: ObjectStore;
  readonly store: SchedulerStore;
  readonly loop: SchedulerLoop;
  readonly tracker: Tracker;
  readonly sessions: AgentSessions;
}

async function assemble(
  options: SchedulerOptions,
  log: Logger,
  parts: Parts,
): Promise<RunningScheduler> {
  await mkdir(options.dataDir, { recursive: true });
  const endpointsFile = join(options.dataDir, "endpoints.json");
  await rm(endpointsFile, { force: true });
  const metrics = new MetricsRegistry(() => REAL_CLOCK.monotonicMs());
  metrics.measureProcess();
  const base: Base = { options, log, metrics, parts };
  const objects = await openObjectStore(options.objectStore, { clock: REAL_CLOCK });
  parts.add(() => objects.close());
  const store = await openSchedulerStore({
    folder: join(options.dataDir, "log"),
    onWarning: (message) => log.warn(message),
  });
  parts.add(() => store.close());
  const { loop, failed } = await startLoop(base, store);
  const tracker = await startTracker(base, loop);
  const sessions = makeSessions(base, loop);
  const assembly: Assembly = { ...base, objects, store, loop, tracker, sessions };
  startCommitter(assembly);
  const grpc = await serveGrpc(assembly);
  const http = await serveHttp(assembly);
  announce(endpointsFile, `${JSON.stringify({ grpc, http, pid: process.pid })}\n`);
  parts.add(() => rm(endpointsFile, { force: true }));
  log.info({ grpc, http, dataDir: options.dataDir }, "The scheduler is up");
  const connectedNodes = (): number =>
    [...loop.state().nodes.keys()].filter((id) => sessions.isConnected(id)).length;
  return { grpc, http, connectedNodes, failed, stop: () => parts.stop() };
}

async function readPolicy({ policyFile }: SchedulerOptions): Promise<Policy | null> {
  if (policyFile === null) return null;
  return { ...DEFAULT_POLICY, ...(await readPolicyFile(policyFile)) };
}

async function startLoop(
  { options, log, metrics, parts }: Base,
  store: SchedulerStore,
): Promise<{ readonly loop: SchedulerLoop; readonly failed: Promise<void> }> {
  let fail: () => void = () => undefined;
  const failed = new Promise<void>((resolve) => {
    fail = resolve;
  });
  const loop = new SchedulerLoop({
    store,
    policy: await readPolicy(options),
    clock: REAL_CLOCK,
    timers: REAL_TIMERS,
    observer: loopMetrics(metrics),
    logger: log,
    onFatal: (error) => {
      log.error({ error }, "The scheduler ends: what it acknowledged is in the log");
      fail();
    },
    limits: { ...DEFAULT_LOOP_LIMITS, snapshotEveryEvents: options.snapshotEvery },
  });
  await loop.start();
  parts.add(() => loop.stop());
  await applyFirstQueues(loop, options);
  return { loop, failed };
}

/** Only while there is no queue at all: later, `trainyard queue apply` is the way. */
async function applyFirstQueues(loop: SchedulerLoop, options: SchedulerOptions): Promise<void> {
  if (loop.state().queues.size > 0) return;
  const { queuesFile } = options;
  const given = queuesFile === null ? [] : await readQueuesFile(queuesFile);
  const queues: QueueSpec[] = given.map((queue) =>
    completeQueueSpec({ ...queue, path: queuePath(queue.path) }),
  );
  if (!queues.some(({ path }) => path === "default")) queues.push(DEFAULT_QUEUE);
  const command = { kind: "queue.apply", queues, prune: false } as const;
  const envelope: Envelope = { command, actor: "scheduler", request: null };
  const reply = await loop.execute(envelope);
  if (reply.kind === "refusal") throw new RefusalError(reply);
}

async function startTracker(
  { options, log, metrics, parts }: Base,
  loop: SchedulerLoop,
): Promise<Tracker> {
  const steps = new StepForecasts({
    brain: loop,
    param: (runId, name) => {
      const view = tracker.getRun(runId);
      return isRefusal(view) ? undefined : view.run.params.get(name);
    },
    onFault: (error) => log.warn({ error }, "A forecast by steps was not taken; trying again"),
  });
  const tracker = await Tracker.open({
    folder: join(options.dataDir, "tracker"),
    clock: REAL_CLOCK,
    ids: randomUUID,
    onCommit: commitMetrics(metrics),
    onBatch: (batch) => steps.onPoints(batch),
  });
  steps.start();
  parts.add(() => Promise.resolve(steps.stop()));
  trackerGauges(metrics, tracker);
  parts.add(() => tracker.close());
  const runs = new JobRuns({
    tracker,
    onFault: (error) => log.warn({ error }, "A run could not be brought up to date; trying again"),
  });
  // Subscribed first: what changes while the tracker catches up must not be missed.
  const unsubscribe = loop.onCommitted((events) => {
    for (const job of changedJobs(events, loop.state())) runs.onJobChanged(job);
  });
  parts.add(async () => {
    unsubscribe();
    await runs.close();
  });
  // Not waited for: a tracker that cannot write must not keep jobs from being scheduled.
  runs
    .reconcile([...loop.state().jobs.values()].map(jobFacts))
    .catch((error: unknown) => log.warn({ error }, "Runs of jobs long gone were not ended"));
  return tracker;
}

function makeSessions({ options, log, parts }: Base, loop: SchedulerLoop): AgentSessions {
  const { leaseMs, heartbeatMs, objectStore } = options;
  const sessions = new AgentSessions({
    brain: loop,
    clock: REAL_CLOCK,
    timers: REAL_TIMERS,
    logger: log,
    terms: { leaseMs, heartbeatMs, marginMs: MARGIN_MS },
    cluster: { objectStore, trackerAddress: "", version: packageVersion() },
  });
  parts.add(() => sessions.stop());
  return sessions;
}

function startCommitter({ log, parts, loop, objects }: Assembly): void {
  const reactor = new CheckpointCommitter({
    brain: loop,
    objects: createCommitter({ objects }),
    timers: REAL_TIMERS,
    logger: log,
  });
  reactor.start();
  parts.add(() => reactor.stop());
}

const LEARNED_NOTE = "forecast-errors";

function startForecasts({ log, metrics, parts, loop, store: { notes } }: Assembly): Forecasts {
  const memory: ForecastMemory = {
    read: () => notes.read(LEARNED_NOTE),
    write: async (learned) => {
      try {
        await notes.write(LEARNED_NOTE, learned);
      } catch (error) {
        log.warn({ error }, "What start forecasts were corrected by is not kept for a restart");
      }
    },
  };
  const onError = forecastMetrics(metrics);
  const [timers, clock] = [REAL_TIMERS, REAL_CLOCK];
  const forecasts = new Forecasts({ brain: loop, timers, clock, memory, onError });
  forecasts.start();
  parts.add(() => forecasts.stop());
  return forecasts;
}

async function serveGrpc(assembly: Assembly): Promise<string> {
  const { options, log, metrics, loop, sessions, tracker, parts } = assembly;
  const grpcMetrics = new GrpcMetrics(metrics);
  const server = new RpcServer({
    clock: REAL_CLOCK,
    tls: await readTls(options),
    isInsecure: options.insecure,
    observer: {
      started: (call) => grpcMetrics.started(call),
      handled: (call, code, seconds) => grpcMetrics.handled(call, code, seconds),
      bug: (error, method) => log.error({ error, method }, "A call failed: this is a bug"),
    },
  });
  const index = new JobIndex(loop);
  const channels = new Channels({
    order: (nodeId, order) => sessions.order(nodeId, order),
    newId: randomUUID,
    timers: REAL_TIMERS,
  });
  const bundles = await openBundles(assembly);
  const sweep = await startSweep(assembly, bundles);
  server.add("JobService", createJobService(jobServiceParts(assembly, index, channels, bundles)));
  server.add("QueueService", createQueueService(loop));
  server.add("PolicyService", createPolicyService(loop));
  server.add("NodeService", createNodeService(loop, sessions));
  server.add("CheckpointService", createCheckpointService(index, sweep));
  server.add("AgentService", createAgentService(sessions, channels));
  server.add("TrackerService", trackerService(tracker));
  const port = await server.listen(options.listen);
  // Only now: an agent's lease counts from when it can be heard.
  sessions.start();
  parts.add(() => server.stop());
  return `${hostOf(options.listen)}:${port}`;
}

async function readTls({ tlsCert, tlsKey }: SchedulerOptions): Promise<ServerTls | null> {
  if (tlsCert === null || tlsKey === null) return null;
  return { cert: await readFile(tlsCert), key: await readFile(tlsKey), clientCa: null };
}

async function openBundles({ options, objects }: Assembly): Promise<Bundles> {
  const folder = join(options.dataDir, "incoming");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const monotonicMs = (): number => REAL_CLOCK.monotonicMs();
  return new Bundles({ store: objects, folder, newId: randomUUID, monotonicMs });
}

async function startSweep(assembly: Assembly, bundles: Bundles): Promise<Sweep> {
  const { options, log, metrics, parts, loop, objects } = assembly;
  const sweep = new Sweep({
    brain: loop,
    objects,
    blobsOf: (jobId, names, signalled) => loadBlobsOf(objects, jobId, names, signalled),
    bundles,
    clusterId: await clusterIdOf(options.dataDir),
    timers: REAL_TIMERS,
    logger: log,
    onDeleted: sweepMetrics(metrics),
  });
  sweep.start();
  parts.add(() => sweep.stop());
  return sweep;
}

/** Drawn at the first start, and kept with the data. */
async function clusterIdOf(dataDir: string): Promise<string> {
  const path = join(dataDir, "cluster-id");
  if (existsSync(path)) return (await readFile(path, "utf8")).trim();
  const id = randomUUID();
  writeAtomic(path, `${id}\n`);
  return id;
}

function jobServiceParts(
  assembly: Assembly,
  index: JobIndex,
  channels: Channels,
  bundles: Bundles,
): JobServiceParts {
  const { store, loop } = assembly;
  return {
    brain: loop,
    index,
    history: { read: (jobId, fromSeq, limit) => store.log.readIndexed(jobId, fromSeq, limit) },
    bundles,
    logs: new JobLogs({ index, channels }),
    watch: new JobWatch({ brain: loop, index, timers: REAL_TIMERS }),
    forecasts: startForecasts(assembly),
  };
}

async function serveHttp(assembly: Assembly): Promise<string> {
  const { options, log, metrics, store, loop, tracker, sessions, parts } = assembly;
  const state = () => loop.state();
  stateMetrics(metrics, {
    state,
    holdCounts: () => loop.holdCounts(),
    stats: () => loop.stats(),
    storeBytes: () =>
      new Map([
        ["scheduler", store.sizeBytes()],
        ["tracker", tracker.stats().sizeBytes],
      ]),
    agents: {
      heartbeatAgesMs: () => sessions.heartbeatAgesMs(),
      clockOf: (nodeId) => sessions.clockOf(nodeId),
    },
  });
  parts.add(loop.onCommitted(eventMetrics(metrics, state)));
  metrics
    .gauge("trainyard_build_info", "Version of this scheduler; always 1.", [
      "version",
      "node_version",
    ])
    .set({ version: packageVersion(), node_version: process.version }, 1);
  const jobMetrics = new MetricsRegistry(() => REAL_CLOCK.monotonicMs());
  runningJobMetrics(jobMetrics, state);
  const routes = operationsRoutes({
    metrics,
    jobMetrics: options.perJobMetrics ? jobMetrics : null,
    health: new Health(),
    agents: () => agentTargets(loop.state(), AGENT_METRICS_PORT),
  });
  const http = new HttpServer({ routes, logger: log });
  const { host, port } = splitAddress(options.httpListen);
  const { port: taken } = await http.listen(host, port);
  parts.add(() => http.close());
  return `${host}:${taken}`;
}
