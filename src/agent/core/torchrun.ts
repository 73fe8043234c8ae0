// The command line and environment of a task. One set of flags for every PyTorch from 1.13 on:
// options that only newer versions know travel as PET_* variables, which older ones do not read, so
// that nothing has to be probed before a launch.

import type { DesiredTask } from "../../scheduler/core/desired.ts";
import type { Rendezvous } from "../../scheduler/core/job.ts";

/** Absolute paths of one task's folder. */
export interface TaskPaths {
  /** The task folder itself: unique on this machine, and the marker of its processes. */
  readonly root: string;
  readonly work: string;
  readonly checkpoints: string;
  /** What was restored; null = from scratch. */
  readonly resume: string | null;
  readonly stopFile: string;
  /** For torchrun's own files. */
  readonly torchrun: string;
}

/** What the machine and its agent give to each task. */
export interface NodeFacts {
  readonly node: string;
  /** Where the other nodes reach this one. */
  readonly address: string;
  /** Interface that has this address; null = let gloo and NCCL choose. */
  readonly interfaceName: string | null;
  /** Interpreter for jobs that name none. */
  readonly python: string;
  readonly cpus: number;
  /** The agent's own variables that tasks may see: see `inheritedEnv`. */
  readonly inherited: Readonly<Record<string, string>>;
  /** UUID by GPU index; a virtual GPU has none. */
  readonly gpuUuids: ReadonlyMap<number, string>;
  /** Empty = unknown. */
  readonly mlflowTrackingUri: string;
}

/** How long ranks wait for the others to join, in seconds. */
const JOIN_TIMEOUT_S = 900;
/** What torchrun (2.12 on) gives its workers after SIGTERM, in seconds; the deadline is over then. */
const SHUTDOWN_TIMEOUT_S = 3;
/** How often torchrun looks at its workers, in seconds: version 1.13 looks every 5 s by default. */
const MONITOR_INTERVAL_S = "0.2";

export function commandOf(
  task: DesiredTask,
  rendezvous: Rendezvous,
  paths: TaskPaths,
  facts: NodeFacts,
): readonly string[] {
  const command = task.spec.command;
  if (command.kind === "exec") return command.argv;
  const python = command.python === "" ? facts.python : command.python;
  return [
    python,
    "-m",
    "torch.distributed.run",
    "--nnodes",
    String(task.nodeNames.length),
    "--nproc_per_node",
    String(command.procsPerNode),
    "--node_rank",
    String(task.rank),
    "--rdzv_backend",
    "static",
    "--rdzv_id",
    `${task.jobId}-${task.attempt}`,
    "--rdzv_conf",
    `timeout=${JOIN_TIMEOUT_S}`,
    "--master_addr",
    rendezvous.host,
    "--master_port",
    String(rendezvous.port),
    // The scheduler owns retries: a gang restarts as a whole, with a new attempt.
    "--max_restarts",
    "0",
    "--monitor_interval",
    MONITOR_INTERVAL_S,
    "--log_dir",
    paths.torchrun,
    // A map for a local rank that does not exist: workers inherit our log files. The plain default
    // crashes PyTorch 1.13 on Python 3.11.
    "--redirects",
    "9:1",
    "--tee",
    "9:1",
    command.script,
    ...command.args,
  ];
}

/** Later entries win; the contract's own variables cannot be overridden by the job. */
export function environmentOf(
  task: DesiredTask,
  rendezvous: Rendezvous,
  paths: TaskPaths,
  facts: NodeFacts,
): Readonly<Record<string, string>> {
  return {
    ...facts.inherited,
    ...defaults(task, paths, facts),
    ...networkHints(facts),
    ...placementEnv(task, rendezvous, facts),
    ...mlflowEnv(task, facts),
    ...task.spec.env,
    ...gpuEnv(task.gpus, facts.gpuUuids),
    ...contractEnv(task, paths, facts),
  };
}

/**
 * CUDA_VISIBLE_DEVICES of just these GPUs; empty for virtual ones and for none, so that a job
 * without GPUs sees none.
 */
export function gpuEnv(
  gpus: readonly number[],
  uuids: ReadonlyMap<number, string>,
): Readonly<Record<string, string>> {
  const visible = gpus.flatMap((index) => uuids.get(index) ?? []);
  return { CUDA_DEVICE_ORDER: "PCI_BUS_ID", CUDA_VISIBLE_DEVICES: visible.join(",") };
}

/** Names of the agent's variables that tasks get. Not its credentials: a job brings its own. */
export function inheritedEnv(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const kept = Object.entries(env).filter(([name]) => INHERITED.test(name));
  return Object.fromEntries(
    kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|VIRTUAL_ENV|CUDA_HOME|CUDA_PATH|(NCCL|TORCH|GLOO|UCX|FI|HF|SSL_CERT)_\w+|(https?|no)_proxy|(HTTPS?|NO)_PROXY)$/;

function defaults(
  task: DesiredTask,
  paths: TaskPaths,
  facts: NodeFacts,
): Readonly<Record<string, string>> {
  const cores = task.spec.perNode.cpuMilli > 0 ? task.spec.perNode.cpuMilli / 1000 : facts.cpus;
  const threads = Math.max(1, Math.floor(cores / procsOf(task)));
  const hasGpus = task.gpus.some((index) => facts.gpuUuids.has(index));
  return {
    // Output goes to files: without this it would show up 8 KiB late.
    PYTHONUNBUFFERED: "1",
    OMP_NUM_THREADS: String(threads),
    ...(hasGpus ? flightRecorder(paths) : {}),
  };
}

/** NCCL's flight recorder: what each rank was doing when a collective timed out. */
function flightRecorder(paths: TaskPaths): Readonly<Record<string, string>> {
  return {
    TORCH_NCCL_TRACE_BUFFER_SIZE: "2000",
    TORCH_NCCL_DUMP_ON_TIMEOUT: "1",
    TORCH_NCCL_DEBUG_INFO_TEMP_FILE: `${paths.root}/nccl_trace_rank_`,
  };
}

function networkHints(facts: NodeFacts): Readonly<Record<string, string>> {
  const name = facts.interfaceName;
  return name === null ? {} : { GLOO_SOCKET_IFNAME: name, NCCL_SOCKET_IFNAME: name };
}

/**
 * Where the gang is, in PyTorch's names: torchrun overwrites them for its workers, and a command
 * that runs a bare `torchrun train.py` itself is placed by them.
 */
function placementEnv(
  task: DesiredTask,
  rendezvous: Rendezvous,
  facts: NodeFacts,
): Readonly<Record<string, string>> {
  const nodes = String(task.nodeNames.length);
  const rank = String(task.rank);
  const procs = String(procsOf(task));
  const port = String(rendezvous.port);
  return {
    MASTER_ADDR: rendezvous.host,
    MASTER_PORT: port,
    NNODES: nodes,
    NODE_RANK: rank,
    PET_NNODES: nodes,
    PET_NODE_RANK: rank,
    PET_NPROC_PER_NODE: procs,
    PET_MASTER_ADDR: rendezvous.host,
    PET_MASTER_PORT: port,
    PET_RDZV_BACKEND: "static",
    PET_RDZV_ID: `${task.jobId}-${task.attempt}`,
    PET_MAX_RESTARTS: "0",
    PET_MONITOR_INTERVAL: MONITOR_INTERVAL_S,
    PET_LOCAL_ADDR: facts.address,
    PET_SHUTDOWN_TIMEOUT: String(SHUTDOWN_TIMEOUT_S),
    ...(task.spec.command.kind === "exec" ? execRanks(task) : {}),
  };
}

/** One process a node: its rank is the node's. */
function execRanks(task: DesiredTask): Readonly<Record<string, string>> {
  return {
    RANK: String(task.rank),
    WORLD_SIZE: String(task.nodeNames.length),
    LOCAL_RANK: "0",
    LOCAL_WORLD_SIZE: "1",
  };
}

function mlflowEnv(task: DesiredTask, facts: NodeFacts): Readonly<Record<string, string>> {
  if (facts.mlflowTrackingUri === "") return {};
  return { MLFLOW_TRACKING_URI: facts.mlflowTrackingUri, MLFLOW_RUN_ID: task.runId };
}

function contractEnv(
  task: DesiredTask,
  paths: TaskPaths,
  facts: NodeFacts,
): Readonly<Record<string, string>> {
  return {
    TRAINYARD_JOB_ID: task.jobId,
    TRAINYARD_JOB_NAME: task.spec.name,
    TRAINYARD_ATTEMPT: String(task.attempt),
    TRAINYARD_NODE: facts.node,
    TRAINYARD_NODE_RANK: String(task.rank),
    TRAINYARD_NODES: String(task.nodeNames.length),
    TRAINYARD_CHECKPOINT_DIR: paths.checkpoints,
    TRAINYARD_STOP_FILE: paths.stopFile,
    ...(paths.resume === null ? {} : { TRAINYARD_RESUME_DIR: paths.resume }),
    [TASK_MARKER]: paths.root,
    // torchrun writes the first worker's error here.
    TORCHELASTIC_ERROR_FILE: `${paths.root}/error.json`,
  };
}

/** Every process of a task has its folder in this variable: how strays are found and killed. */
export const TASK_MARKER = "TRAINYARD_TASK";

function procsOf(task: DesiredTask): number {
  const command = task.spec.command;
  return command.kind === "torchrun" ? command.procsPerNode : Math.max(1, task.gpus.length);
}
