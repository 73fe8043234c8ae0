// All commands, by name. Their code is loaded only when they are called: a short `trainyard ps`
// must not wait for what `submit` needs.

import type { Entry } from "./command.ts";

const JOBS = "Jobs:";
const CLUSTER = "Cluster:";
const DAEMONS = "Daemons:";
const SETUP = "Setting up:";

export const REGISTRY: readonly Entry[] = [
  {
    name: "submit",
    summary: "Hand in a job and return at once",
    heading: JOBS,
    load: async () => (await import("./commands/submit.ts")).submit,
  },
  {
    name: "run",
    summary: "Hand in a job and stay with it: its output, its exit code",
    heading: JOBS,
    load: async () => (await import("./commands/run.ts")).run,
  },
  {
    name: "ps",
    summary: "List jobs",
    heading: JOBS,
    load: async () => (await import("./commands/ps.ts")).ps,
  },
  {
    name: "show",
    summary: "Show all about one job",
    heading: JOBS,
    load: async () => (await import("./commands/show.ts")).show,
  },
  {
    name: "explain",
    aliases: ["why"],
    summary: "Say why a job waits, and what would start it",
    heading: JOBS,
    load: async () => (await import("./commands/explain.ts")).explain,
  },
  {
    name: "logs",
    summary: "Print the output of a job",
    heading: JOBS,
    load: async () => (await import("./commands/logs.ts")).logs,
  },
  {
    name: "events",
    summary: "Show what happened to a job, as a timeline",
    heading: JOBS,
    load: async () => (await import("./commands/events.ts")).events,
  },
  {
    name: "metrics",
    summary: "Show the metrics of a job",
    heading: JOBS,
    load: async () => (await import("./commands/metrics.ts")).metrics,
  },
  {
    name: "attach",
    summary: "Open a terminal inside a running job",
    heading: JOBS,
    load: async () => (await import("./commands/attach.ts")).attach,
  },
  {
    name: "wait",
    summary: "Wait until jobs have ended",
    heading: JOBS,
    load: async () => (await import("./commands/wait.ts")).wait,
  },
  {
    name: "cancel",
    summary: "End jobs",
    heading: JOBS,
    load: async () => (await import("./commands/cancel.ts")).cancel,
  },
  {
    name: "hold",
    summary: "Keep waiting jobs from starting until they are released",
    heading: JOBS,
    load: async () => (await import("./commands/hold.ts")).hold,
  },
  {
    name: "release",
    summary: "Let held jobs start",
    heading: JOBS,
    load: async () => (await import("./commands/hold.ts")).release,
  },
  {
    name: "checkpoint",
    summary: "Checkpoints that jobs have committed",
    heading: JOBS,
    children: [
      {
        name: "ls",
        summary: "List the checkpoints of a job",
        load: async () => (await import("./commands/checkpoint.ts")).checkpointLs,
      },
      {
        name: "sweep",
        summary: "Delete what jobs left in the object store and nothing needs",
        load: async () => (await import("./commands/checkpoint.ts")).checkpointSweep,
      },
    ],
  },
  {
    name: "queue",
    summary: "Queues: who is entitled to how many GPUs",
    heading: CLUSTER,
    children: [
      {
        name: "ls",
        summary: "List the queues",
        load: async () => (await import("./commands/queue-ls.ts")).queueLs,
      },
      {
        name: "apply",
        summary: "Set the queues that a file names",
        load: async () => (await import("./commands/queue-apply.ts")).queueApply,
      },
      {
        name: "shares",
        summary: "Compare what is due to each queue with what it has",
        load: async () => (await import("./commands/queue-shares.ts")).queueShares,
      },
      {
        name: "delete",
        summary: "Delete an empty queue",
        load: async () => (await import("./commands/queue-delete.ts")).queueDelete,
      },
    ],
  },
  {
    name: "policy",
    summary: "The scheduling policy: classes, limits, preemption, patience",
    heading: CLUSTER,
    children: [
      {
        name: "show",
        summary: "Print the policy that holds, as a policy file",
        load: async () => (await import("./commands/policy-show.ts")).policyShow,
      },
      {
        name: "apply",
        summary: "Set the policy to what a file says",
        load: async () => (await import("./commands/policy-apply.ts")).policyApply,
      },
    ],
  },
  {
    name: "node",
    summary: "Nodes: what is there, and taking them out of service",
    heading: CLUSTER,
    children: [
      {
        name: "ls",
        summary: "List the nodes",
        load: async () => (await import("./commands/node-ls.ts")).nodeLs,
      },
      {
        name: "cordon",
        summary: "Place nothing new on nodes; what runs goes on",
        load: async () => (await import("./commands/node-act.ts")).nodeCordon,
      },
      {
        name: "drain",
        summary: "Move jobs off nodes, from their last checkpoint",
        load: async () => (await import("./commands/node-act.ts")).nodeDrain,
      },
      {
        name: "notice",
        summary: "Say that nodes go away soon: what runs there saves in time",
        load: async () => (await import("./commands/node-act.ts")).nodeNotice,
      },
      {
        name: "resume",
        aliases: ["uncordon"],
        summary: "Let nodes take tasks again",
        load: async () => (await import("./commands/node-act.ts")).nodeResume,
      },
      {
        name: "rm",
        summary: "Forget lost nodes",
        load: async () => (await import("./commands/node-act.ts")).nodeRm,
      },
    ],
  },
  {
    name: "simulate",
    summary: "Run a trace or a made-up workload through the scheduler in virtual time",
    heading: CLUSTER,
    load: async () => (await import("./commands/simulate.ts")).simulate,
  },
  {
    name: "replay",
    summary: "Decide a log's planning passes again and compare them byte for byte",
    heading: CLUSTER,
    load: async () => (await import("./commands/replay.ts")).replay,
  },
  {
    name: "up",
    summary: "Run a whole cluster on this machine",
    heading: DAEMONS,
    load: async () => (await import("./commands/up.ts")).up,
  },
  {
    name: "scheduler",
    summary: "Run the control plane",
    heading: DAEMONS,
    load: async () => (await import("./commands/scheduler.ts")).scheduler,
  },
  {
    name: "agent",
    summary: "Run the agent of this node",
    heading: DAEMONS,
    load: async () => (await import("./commands/agent.ts")).agent,
  },
  {
    name: "doctor",
    summary: "Check this machine and the way to the scheduler",
    heading: SETUP,
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  {
    name: "init",
    summary: "Write a commented job file to start from",
    heading: SETUP,
    load: async () => (await import("./commands/init.ts")).init,
  },
  {
    name: "config",
    summary: "Configuration: what holds, and where it comes from",
    heading: SETUP,
    children: [
      {
        name: "view",
        summary: "Show every option and its value",
        load: async () => (await import("./commands/config-view.ts")).configView,
      },
    ],
  },
  {
    name: "completion",
    summary: "Print the completion script of a shell",
    heading: SETUP,
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  {
    name: "version",
    summary: "Print the version",
    heading: SETUP,
    load: async () => (await import("./commands/version.ts")).version,
  },
  {
    name: "__complete",
    summary: "Print completions of the words after `--`",
    isHidden: true,
    load: async () => (await import("./commands/complete.ts")).complete,
  },
];
