// `trainyard doctor`: looks at this machine and the way to the scheduler. Changes nothing.

import { flag, text } from "../../config/kinds.ts";
import { option, optional } from "../../config/option.ts";
import { resolveOptions } from "../../config/resolve.ts";
import { AGENT_OPTIONS } from "../../config/agent-options.ts";
import { readConfigFiles } from "../../config/files.ts";
import { SCHEDULER_OPTIONS } from "../../config/scheduler-options.ts";
import type { Invocation } from "../command.ts";
import type { Cluster } from "../cluster.ts";
import { defineCommand } from "../command.ts";
import { nodeClocksCheck, ownClockCheck } from "../doctor/clock-checks.ts";
import type { Check, CheckResult, CheckStatus } from "../doctor/check.ts";
import { notOk, ok, runCheck } from "../doctor/check.ts";
import {
  cgroupCheck,
  dataFolderCheck,
  limitsCheck,
  nodeCheck,
  portCheck,
  sharedMemoryCheck,
} from "../doctor/machine-checks.ts";
import { gpuCheck, torchCheck, torchrunCheck } from "../doctor/training-checks.ts";
import { EXIT } from "../exit-codes.ts";
import { toFailure } from "../failure.ts";
import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";
import { nodeNote, nodeView } from "../views/node-view.ts";
import { counted } from "../wire.ts";

const FLAGS = {
  objectStore: optional(text({ placeholder: "<url>" }), {
    name: "object-store",
    help: "Also write, read and delete an object there. Without it, the scheduler's own if configured.",
  }),
  python: optional(text({ placeholder: "<program>", completion: "command" }), {
    name: "python",
    help: "Interpreter to look for torch in.",
  }),
  clientOnly: option(flag(), {
    name: "client-only",
    help: "Only what submitting needs: no GPUs, torch, disks and ports.",
    fallback: false,
  }),
} as const;

type Call = Invocation<typeof FLAGS>;

export const doctor = defineCommand({
  name: "doctor",
  summary: "Check this machine and the way to the scheduler",
  details:
    "Changes nothing but one small object in the store, which it deletes. Exit code 1 when a check failed.",
  operands: [],
  flags: FLAGS,
  examples: [
    { command: "trainyard doctor", says: "everything, on a node or where you submit" },
    { command: "trainyard doctor --client-only", says: "on a laptop" },
    { command: "trainyard doctor --python /opt/venv/bin/python", says: "the Python for your jobs" },
    {
      command: "trainyard doctor --json | jq '.items[] | select(.status == \"fail\")'",
      says: "for a script",
    },
  ],
  run: async (call) => {
    const checks = await checksOf(call);
    const results = await Promise.all([...checks].map(([name, check]) => runCheck(name, check)));
    const failed = results.filter((result) => result.status === "fail").length;
    call.print.list({
      kind: "CheckList",
      items: results,
      columns,
      nameOf: (result) => `${result.name} ${result.status}`,
      whenEmpty: "",
      extra: { isHealthy: failed === 0 },
    });
    for (const { name, status, remedy } of results) {
      if (remedy !== "" && !call.print.isJson) call.print.note(`${name} (${status}): ${remedy}`);
    }
    if (failed === 0) return EXIT.ok;
    call.print.note(`${counted(failed, "check")} failed.`);
    return EXIT.failed;
  },
});

async function checksOf(call: Call): Promise<ReadonlyMap<string, Check>> {
  const { io, flags } = call;
  // What was asked by hand is heeded; of a daemon's flags none is given here.
  const scheduler = resolveOptions(
    SCHEDULER_OPTIONS,
    await call.layers("scheduler"),
    io.host,
  ).values;
  const agent = resolveOptions(AGENT_OPTIONS, await call.layers("agent"), io.host).values;
  const server = { isReachable: false };
  const reached = serverCheck(call, server);
  const isServing = (): boolean => server.isReachable;
  const afterServer =
    (check: Check): Check =>
    () =>
      reached.then(check);
  const withServer = (name: string, check: (cluster: Cluster) => Promise<CheckResult>): Check =>
    afterServer(async () => {
      if (!isServing()) return notOk(name, "skip", "the scheduler does not answer");
      return check(await call.cluster());
    });
  const checks = new Map<string, Check>([
    ["node", nodeCheck(process.version)],
    ["config", configCheck(call)],
    ["scheduler", () => reached],
    ["clock", withServer("clock", (cluster) => ownClockCheck(cluster, () => io.nowMs()))],
    ["object store", objectStoreCheck(call, flags.objectStore ?? scheduler.objectStore)],
  ]);
  if (flags.clientOnly) return checks;
  const python = flags.python ?? agent.python;
  return new Map([
    ...checks,
    ["node clocks", withServer("node clocks", nodeClocksCheck)],
    ["gpus", gpuCheck()],
    ["torch", torchCheck(python)],
    ["torchrun", torchrunCheck(python)],
    ["data folder", dataFolderCheck("data folder", scheduler.dataDir)],
    ["state folder", dataFolderCheck("state folder", agent.stateDir)],
    ["shm", sharedMemoryCheck],
    ["limits", limitsCheck],
    ["cgroup", cgroupCheck],
    ["gRPC port", afterServer(portCheck("gRPC port", scheduler.listen, isServing))],
    ["HTTP port", afterServer(portCheck("HTTP port", scheduler.httpListen, isServing))],
  ]);
}

function configCheck({ io }: Call): Check {
  return async () => {
    const files = await readConfigFiles(io.host);
    if (files.length === 0) return ok("config", "no file, all defaults");
    return ok("config", files.map((file) => file.path).join(", "));
  };
}

async function serverCheck(call: Call, server: { isReachable: boolean }): Promise<CheckResult> {
  const address = call.client.server;
  try {
    const { nodes } = await (await call.cluster()).listNodes({});
    server.isReachable = true;
    const answers = `${address} answers; ${counted(nodes.length, "node")}`;
    const unfit = nodes.map(nodeView).filter(({ conditions }) => conditions.length > 0);
    if (unfit.length === 0) return ok("scheduler", answers);
    const notes = unfit.map((node) => `${node.name} takes no new tasks: ${nodeNote(node)}`);
    return notOk("scheduler", "warn", `${answers}; ${notes.join("; ")}`, "Make room there.");
  } catch (error) {
    const { message, remedy } = toFailure(error);
    return notOk("scheduler", "fail", message, remedy);
  }
}

function objectStoreCheck({ ports }: Call, url: string | null): Check {
  return async () => {
    if (url === null) return notOk("object store", "skip", "none named; --object-store tries one");
    await ports.probeObjectStore(url);
    return ok("object store", `${url}: written, read back, deleted`);
  };
}

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: "✓", warn: "!", fail: "✗", skip: "-" };

function columns(style: Style): readonly Column<CheckResult>[] {
  const paints = { ok: style.good, warn: style.warn, fail: style.bad, skip: style.dim } as const;
  return [
    { title: "", cell: (one) => MARKS[one.status], paint: (text, one) => paints[one.status](text) },
    { title: "CHECK", cell: (one) => one.name },
    { title: "RESULT", cell: (one) => one.status, paint: (text, one) => paints[one.status](text) },
    { title: "FOUND", cell: (one) => one.message, shrinkTo: 30, isWrapped: true },
  ];
}
