// Jobs and nodes as older releases wrote them, as this one has them: what they do not say has the
// value that keeps their meaning. Called where events are folded and where snapshots are read.

import { type JobSpec, SPEC_DEFAULTS, withDefaults } from "./job.ts";
import type { Gpu, Node, NodeSpec } from "./state.ts";

export type OlderJobSpec = Omit<JobSpec, keyof typeof SPEC_DEFAULTS | "nodesMin"> &
  Partial<JobSpec> & {
    /** In place of `gpuTypes`. A gang could then always have GPUs of several types. */
    readonly gpuType?: string;
  };

export function upgradeSpec(spec: OlderJobSpec): JobSpec {
  const defaults = { ...SPEC_DEFAULTS, nodesMin: spec.nodes };
  if (!("gpuType" in spec)) return withDefaults(spec as JobSpec, defaults);
  const { gpuType, ...rest } = spec;
  const gpuTypes = gpuType === "" || gpuType === undefined ? [] : [gpuType];
  return { ...defaults, gpuTypes, mixesGpuTypes: true, ...rest };
}

const NODE_DEFAULTS = {
  goesAtMs: null,
  bundles: [],
  conditions: [],
} as const satisfies Partial<Node>;
const GPU_DEFAULTS = { island: "" } as const satisfies Partial<Gpu>;

export function upgradeNode(node: Node): Node {
  return { ...withDefaults(node, NODE_DEFAULTS), spec: upgradeNodeSpec(node.spec) };
}

export function upgradeNodeSpec(spec: NodeSpec): NodeSpec {
  return { ...spec, gpus: spec.gpus.map((gpu) => withDefaults(gpu, GPU_DEFAULTS)) };
}
