// One node's agent: joins the link to the scheduler with the table of tasks. Owns what is started
// and stopped with it. Stopping it leaves the tasks running.

import { mkdirSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Hello } from "../rpc/gen/trainyard/v1/Hello.ts";
import type { Desired__Output } from "../rpc/gen/trainyard/v1/Desired.ts";
import type { Welcome__Output } from "../rpc/gen/trainyard/v1/Welcome.ts";
import type { Gpu } from "../scheduler/core/state.ts";
import { type Ownership, takeOwnership } from "../store/owner.ts";
import { openCgroupParent } from "./cgroup.ts";
import { Channels } from "./channels.ts";
import { cleanUp, DEFAULT_KEEP, type KeepPolicy } from "./cleanup.ts";
import {
  generationOf,
  type Link,
  linkDesired,
  linkHeartbeatAcked,
  linkHeartbeatSent,
  linkWelcomed,
  resumedLink,
} from "./core/link.ts";
import { inheritedEnv, type NodeFacts } from "./core/torchrun.ts";
import type { DiskThresholds } from "./core/disk.ts";
import { DiskWatch } from "./disk-watch.ts";
import { readJson, replaceFile } from "./files.ts";
import { findGpus, GpuProbe, labelledIslands, virtualGpus } from "./gpu-probe.ts";
import { findHostFacts, type HostFacts, interfaceOf } from "./host-facts.ts";
import { LeaseFile } from "./lease-file.ts";
import type { AgentPorts, ClusterInfo } from "./ports.ts";
import { bootMs } from "./proc.ts";
import { Session } from "./session.ts";
import { SupervisorPool, supervisorCommand } from "./supervisor-pool.ts";
import { TaskFolder } from "./task-folder.ts";
import { TaskTable } from "./task-table.ts";
import { decodeDesired, encodeHello, encodeReport, type NodeInventory } from "./wire.ts";

export interface AgentOptions {
  readonly node: string;
  /** Absolute. Belongs to one agent at a time. */
  readonly stateDir: string;
  /** Where the other nodes reach this one: an address of this machine. */
  readonly address: string;
  /** Interpreter for jobs that name none. */
  readonly python: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: string;
  /** Null = the real ones. */
  readonly virtualGpus: number | null;
  /** The agent's own environment, of which tasks get a part. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For tasks, as MLFLOW_TRACKING_URI; empty = unknown. Asked at each launch. */
  readonly mlflowTrackingUri: () => string;
  readonly diskLimits: DiskThresholds;
  /** Default: 7 days, 20 GiB, bundles 2 days. */
  readonly keep?: KeepPolicy;
}

const CLEAN_UP_MS = 3_600_000;

export class Agent {
  readonly #options: AgentOptions;
  readonly #ports: AgentPorts;
  readonly #pool: SupervisorPool;
  readonly #leaseFile: LeaseFile;
  readonly #tasks: TaskTable;
  readonly #session: Session;
  readonly #channels: Channels;
  readonly #probe: GpuProbe;
  readonly #disk: DiskWatch;
  readonly #inherited: Readonly<Record<string, string>>;
  readonly #instance: string;
  #ownership: Ownership | null = null;
  #link: Link;
  #gpus: readonly Gpu[] = [];
  #host: HostFacts | null = null;
  #cleaner: NodeJS.Timeout | null = null;

  constructor(options: AgentOptions, ports: AgentPorts) {
    const { stateDir, node } = options;
    this.#options = options;
    this.#ports = ports;
    this.#instance = ports.newId();
    this.#inherited = inheritedEnv(options.env);
    mkdirSync(join(stateDir, "tasks"), { recursive: true });
    this.#leaseFile = new LeaseFile(stateDir);
    this.#link = resumedLink(this.#leaseFile.read());
    const cgroupParent = openCgroupParent(`trainyard-${shortHash(stateDir)}`);
    this.#pool = new SupervisorPool({ stateDir, cgroupParent, command: supervisorCommand() });
    this.#disk = this.#makeDiskWatch();
    this.#tasks = this.#makeTable();
    this.#session = this.#makeSession();
    const { scheduler, log } = ports;
    this.#channels = new Channels({ node, scheduler, log, tasks: this.#channelTasks() });
    this.#probe = new GpuProbe(log);
  }

  /** Resolves when the tasks of an earlier agent are taken up and the first dial is under way. */
  async start(): Promise<void> {
    this.#ownership = await takeOwnership(this.#options.stateDir);
    this.#pool.warm();
    await Promise.all([this.#takeInventory(), this.#disk.start()]);
    this.#recallCluster();
    await this.#tasks.adopt();
    this.#session.start();
    this.#tasks.turn();
    this.#cleaner = setInterval(() => void this.#cleanUp(), CLEAN_UP_MS).unref();
    void this.#cleanUp();
  }

  /** Tasks go on unless `tasks` is true; then this resolves when nothing of them is left. */
  async stop(what: { readonly tasks: boolean } = { tasks: false }): Promise<void> {
    if (this.#cleaner !== null) clearInterval(this.#cleaner);
    this.#channels.stop();
    // Before the tasks are killed, so that no new ones come.
    await this.#session.stop();
    if (what.tasks) await this.#tasks.killAll();
    await this.#tasks.release();
    this.#probe.stop();
    this.#disk.stop();
    this.#pool.stop();
    await this.#ownership?.release();
  }

  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  /** Milliseconds that the lease has left; below 0 = over. */
  get leaseLeftMs(): number {
    return this.#link.lease.untilMs - bootMs();
  }

  get tasks(): TaskTable {
    return this.#tasks;
  }

  get gpus(): GpuProbe {
    return this.#probe;
  }

  get disk(): DiskWatch {
    return this.#disk;
  }

  get host(): HostFacts | null {
    return this.#host;
  }

  get node(): string {
    return this.#options.node;
  }

  #makeDiskWatch(): DiskWatch {
    const { stateDir, diskLimits } = this.#options;
    return new DiskWatch({
      folder: stateDir,
      limits: diskLimits,
      log: this.#ports.log,
      onChange: () => {
        this.#session.report(encodeReport(this.#report()));
        if (this.#disk.conditions.length > 0) void this.#cleanUp();
      },
    });
  }

  #makeTable(): TaskTable {
    const { stateDir } = this.#options;
    const context = {
      stateDir,
      leaseFile: this.#leaseFile.path,
      facts: () => this.#facts(),
      pool: this.#pool,
      ports: this.#ports,
      disk: this.#disk,
    };
    return new TaskTable({
      context,
      link: () => this.#link,
      log: this.#ports.log,
      onChange: () => this.#session.report(encodeReport(this.#report())),
    });
  }

  #makeSession(): Session {
    const { scheduler, log, random } = this.#ports;
    const listener = {
      hello: () => this.#hello(),
      welcomed: (welcome: Welcome__Output, sentAtMs: number) => this.#welcomed(welcome, sentAtMs),
      heartbeatSent: (seq: number, atMs: number) => {
        this.#link = linkHeartbeatSent(this.#link, seq, atMs);
      },
      heartbeatAcked: (seq: number) => this.#renewed(linkHeartbeatAcked(this.#link, seq)),
      desired: (message: Desired__Output, atMs: number) => this.#desired(message, atMs),
      openChannel: (message: Parameters<Channels["open"]>[0]) => this.#channels.open(message),
      disconnected: () => this.#tasks.turn(),
    };
    return new Session({ scheduler, listener, log, random });
  }

  #channelTasks(): ConstructorParameters<typeof Channels>[0]["tasks"] {
    return {
      folderOf: (key) => {
        const folder = new TaskFolder(this.#options.stateDir, key);
        return folder.load() === null ? null : folder;
      },
      terminalPlace: (key) => {
        const runner = this.#tasks.isAlive(key) ? this.#tasks.runner(key) : null;
        return runner && { env: runner.environment(), cwd: runner.folder.work };
      },
      isOver: (key) => !this.#tasks.isAlive(key),
    };
  }

  async #takeInventory(): Promise<void> {
    const { virtualGpus: count } = this.#options;
    this.#host = await findHostFacts();
    const { log } = this.#ports;
    const found = count === null ? await findGpus(log) : virtualGpus(count);
    this.#gpus = labelledIslands(found, this.#options.labels, log);
    if (count === null && this.#gpus.length > 0) this.#probe.start();
  }

  #hello(): Hello {
    const { node, address, labels, version } = this.#options;
    const inventory: NodeInventory = {
      node,
      instance: this.#instance,
      address,
      gpus: this.#gpus,
      cpuMilli: (this.#host?.cpus ?? 0) * 1_000,
      memoryMib: this.#host?.memoryMib ?? 0,
      labels,
      version,
    };
    return encodeHello(inventory, this.#report());
  }

  #report(): Parameters<typeof encodeReport>[0] {
    return {
      generation: generationOf(this.#link),
      tasks: this.#tasks.observed(),
      conditions: this.#disk.conditions,
    };
  }

  #welcomed(welcome: Welcome__Output, helloSentAtMs: number): void {
    const { objectStore, trackerAddress, schedulerVersion, leaseMs } = welcome;
    this.#ports.log.info({ schedulerVersion, leaseMs }, "joined the scheduler");
    const cluster = { objectStore, trackerAddress };
    this.#ports.onCluster(cluster);
    this.#renewed(linkWelcomed(this.#link, helloSentAtMs, leaseMs));
    this.#keep("what the cluster is", () =>
      replaceFile(this.#clusterFile, JSON.stringify(cluster)),
    );
  }

  #renewed(link: Link): void {
    this.#link = link;
    // Before anything starts under it: a supervisor without a lease file ends its task.
    this.#keep("the lease", () => this.#leaseFile.write(link.lease.untilMs));
    this.#tasks.turn();
  }

  /** A disk that is full or broken is a person's to mend, and no reason to drop the stream. */
  #keep(what: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#ports.log.error({ error: String(error) }, `${what} cannot be written down`);
    }
  }

  #desired(message: Desired__Output, atMs: number): void {
    this.#link = linkDesired(this.#link, decodeDesired(message, atMs));
    this.#tasks.desiredChanged();
  }

  #facts(): NodeFacts {
    const { node, address, python, virtualGpus: count, mlflowTrackingUri } = this.#options;
    const gpus = count === null ? this.#gpus : [];
    return {
      node,
      address,
      interfaceName: interfaceOf(address),
      python,
      cpus: this.#host?.cpus ?? 1,
      inherited: this.#inherited,
      gpuUuids: new Map(gpus.map((gpu) => [gpu.index, gpu.uuid])),
      mlflowTrackingUri: mlflowTrackingUri(),
    };
  }

  get #clusterFile(): string {
    return join(this.#options.stateDir, "cluster.json");
  }

  #recallCluster(): void {
    const known = parseCluster(readJson(this.#clusterFile));
    if (known !== null) this.#ports.onCluster(known);
  }

  async #cleanUp(): Promise<void> {
    const { stateDir, keep } = this.#options;
    try {
      if (this.#disk.conditions.length > 0) await this.#ports.makeRoom();
      const removed = await cleanUp(stateDir, keep ?? DEFAULT_KEEP, Date.now());
      if (removed.length > 0)
        this.#ports.log.info({ removed: removed.length }, "old tasks removed");
    } catch (error) {
      this.#ports.log.warn({ error: String(error) }, "clean-up failed");
    }
  }
}

function parseCluster(value: unknown): ClusterInfo | null {
  const known = value as Partial<ClusterInfo> | null;
  if (typeof known?.objectStore !== "string") return null;
  return { objectStore: known.objectStore, trackerAddress: known.trackerAddress ?? "" };
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
