// From a job file and flags to a job that can be handed in: every field settled, every mistake
// named.

import { problemsError } from "../../config/problem.ts";
import type { Problem } from "../../config/problem.ts";
import type { YamlFile } from "../../config/yaml-file.ts";
import type { Path, Placer } from "../../config/zod-problems.ts";
import { pathText, zodProblems } from "../../config/zod-problems.ts";
import type { Override } from "./overrides.ts";
import { applyOverrides, flagAt } from "./overrides.ts";
import type { JobFile } from "./schema.ts";
import { ALIASES, FOREIGN_KEYS, jobFileSchema } from "./schema.ts";
import type { NodesWish } from "./nodes-field.ts";
import type { ArrayWish, BeginWish, DependencyWish } from "./start-fields.ts";

export type ResolvedCommand =
  | {
      readonly kind: "torchrun";
      readonly script: string;
      readonly args: readonly string[];
      /** 0 = one for each GPU. */
      readonly procsPerNode: number;
      readonly python: string;
    }
  | { readonly kind: "exec"; readonly argv: readonly string[] };

/** Units as on the wire. Empty text and null: the cluster's default. */
export interface ResolvedSpec {
  readonly name: string;
  readonly queue: string;
  readonly priorityClass: string;
  /** At most. */
  readonly nodes: number;
  readonly nodesMin: number;
  readonly gpus: number;
  readonly gpuTypes: readonly string[];
  readonly mixesGpuTypes: boolean;
  readonly topology: { readonly level: string; readonly mode: string } | null;
  readonly spot: string;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly command: ResolvedCommand;
  readonly env: Readonly<Record<string, string>>;
  /** As written; null = no code travels. */
  readonly workdir: string | null;
  readonly setup: string;
  readonly timeLimitMs: number | null;
  readonly graceMs: number | null;
  readonly stopSignal: string;
  readonly restartsMax: number;
  readonly checkpoint: { readonly keep: number; readonly patterns: readonly string[] };
  /** Null = one job. */
  readonly array: ArrayWish | null;
  readonly after: readonly DependencyWish[];
  /** Null = at once. */
  readonly begin: BeginWish | null;
  /** By when it should have ended; null = whenever. */
  readonly deadline: BeginWish | null;
  readonly isHeld: boolean;
}

export interface SpecInputs {
  /** null = everything comes from flags. */
  readonly file: YamlFile | null;
  /** Later ones win. */
  readonly overrides: readonly Override[];
  /** Where the name of the job comes from when none is given. */
  readonly nameSource: string;
  readonly defaultQueue: string;
}

/** @throws RefusalError with INVALID_SPEC, naming every mistake with its line or flag. */
export function resolveSpec(inputs: SpecInputs): ResolvedSpec {
  const { value, flags } = applyOverrides(inputs.file?.value, inputs.overrides);
  const placer: Placer = {
    where: (path) => flagAt(flags, path) ?? inputs.file?.where(path) ?? "command line",
  };
  const result = jobFileSchema.safeParse(value);
  const problems = result.success
    ? contradictions(result.data, placer)
    : zodProblems(result.error.issues, {
        schema: jobFileSchema,
        placer,
        foreignKeys: FOREIGN_KEYS,
      });
  if (!result.success || problems.length > 0) {
    throw problemsError("INVALID_SPEC", problems, remedyFor(inputs.file));
  }
  return settle(result.data, inputs);
}

function remedyFor(file: YamlFile | null): string {
  const what = file === null ? "the flags" : file.file;
  return `Mend ${what}; \`trainyard submit --help\` and \`trainyard init\` show every field.`;
}

function contradictions(file: JobFile, placer: Placer): readonly Problem[] {
  const at = (path: Path, message: string): Problem => ({
    where: placer.where(path),
    path: pathText(path),
    message,
  });
  const problems: Problem[] = [];
  for (const [alias, name] of ALIASES) {
    if (has(file, alias) && has(file, name)) {
      problems.push(at(alias.split("."), `is another name of ${name}; write only one of them`));
    }
  }
  const { topology } = file;
  const nodes = nodesOf(file).max;
  if (topology?.level === "node" && topology.mode !== "preferred" && nodes > 1) {
    problems.push(
      at(["topology", "level"], `cannot be node for ${nodes} nodes; say rack or block`),
    );
  }
  const wish = file.resources?.gpus ?? file.resources?.accelerators;
  if (wish !== undefined && wish.type !== "" && file.resources?.gpu_types !== undefined) {
    const message = `stands beside gpus: ${wish.type}; name the types in one place`;
    problems.push(at(["resources", "gpu_types"], message));
  }
  if (file.run !== undefined && file.torchrun !== undefined) {
    problems.push(at(["run"], "stands beside torchrun; a job runs one of them"));
  }
  if (file.run === undefined && file.torchrun === undefined) {
    problems.push(at([], "nothing to run; give `run:` or `torchrun:`, or a script as an argument"));
  }
  return problems;
}

const nodesOf = ({ nodes, num_nodes }: JobFile): NodesWish =>
  nodes ?? num_nodes ?? { min: 1, max: 1 };

function has(file: JobFile, path: string): boolean {
  let node: unknown = file;
  for (const segment of path.split(".")) {
    if (typeof node !== "object" || node === null) return false;
    node = Reflect.get(node, segment);
  }
  return node !== undefined;
}

function settle(file: JobFile, inputs: SpecInputs): ResolvedSpec {
  const wish = file.resources?.gpus ?? file.resources?.accelerators ?? { count: 0, type: "" };
  const { restarts } = file;
  const nodes = nodesOf(file);
  return {
    name: file.name ?? jobName(inputs.nameSource),
    queue: file.queue ?? inputs.defaultQueue,
    priorityClass: file.priority ?? "",
    nodes: nodes.max,
    nodesMin: nodes.min,
    gpus: wish.count,
    gpuTypes: file.resources?.gpu_types ?? (wish.type === "" ? [] : [wish.type]),
    mixesGpuTypes: file.resources?.mix_gpu_types ?? false,
    topology:
      file.topology === undefined
        ? null
        : { level: file.topology.level, mode: file.topology.mode ?? "required" },
    spot: file.spot ?? "",
    cpuMilli: Math.round((file.resources?.cpus ?? 0) * 1000),
    memoryMib: file.resources?.memory ?? 0,
    command: commandOf(file),
    env: textValues(file.env ?? file.envs ?? {}),
    workdir: file.workdir === undefined ? "." : file.workdir,
    setup: file.setup ?? "",
    timeLimitMs: file.time_limit ?? null,
    graceMs: file.grace ?? null,
    stopSignal: file.signal ?? "",
    restartsMax: typeof restarts === "object" ? restarts.max : (restarts ?? 0),
    checkpoint: { keep: file.checkpoint?.keep ?? 0, patterns: file.checkpoint?.patterns ?? [] },
    array: file.array ?? null,
    after: file.after ?? [],
    begin: file.begin_at ?? null,
    deadline: file.deadline ?? null,
    isHeld: file.held ?? false,
  };
}

function commandOf(file: JobFile): ResolvedCommand {
  const { torchrun, run } = file;
  if (torchrun !== undefined) {
    return {
      kind: "torchrun",
      script: torchrun.script.replace(/^\.\//, ""),
      args: torchrun.args ?? [],
      procsPerNode: torchrun.procs_per_node ?? 0,
      python: torchrun.python ?? "",
    };
  }
  return { kind: "exec", argv: Array.isArray(run) ? run : ["bash", "-c", run ?? ""] };
}

function textValues(env: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).map(([key, value]) => [key, String(value)]));
}

/** `jobs/train big.yaml` → `train-big`. */
export function jobName(source: string): string {
  const base =
    source
      .split("/")
      .at(-1)
      ?.replace(/\.[A-Za-z0-9]+$/, "") ?? "";
  const name = base.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[^A-Za-z0-9]+/g, "");
  return name.slice(0, 63).replaceAll(/[^A-Za-z0-9]+$/g, "") || "job";
}
