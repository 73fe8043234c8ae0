// One object for each shape that a pass meets, so that what is found out about one job of it is kept
// for all. Ten thousand jobs ask in each pass: numbers are mixed, since making a text of them costs
// several times as much.

import { type Shape, shapeOf, topologyOf } from "./shape.ts";
import type { JobSpec } from "./job.ts";

export class Shapes {
  readonly #byHash = new Map<number, Shape[]>();

  of(spec: JobSpec): Shape {
    const hash = hashOf(spec);
    const alike = this.#byHash.get(hash);
    for (const shape of alike ?? []) if (isOf(shape, spec)) return shape;
    const shape = shapeOf(spec);
    if (alike === undefined) this.#byHash.set(hash, [shape]);
    else alike.push(shape);
    return shape;
  }
}

/** Any prime spreads small numbers well enough; shapes of one hash are compared. */
const PRIME = 0x01000193;

function hashOf({ nodes, perNode, gpuTypes }: JobSpec): number {
  let hash = Math.imul(nodes, PRIME) ^ perNode.gpus;
  hash = Math.imul(hash, PRIME) ^ perNode.cpuMilli;
  hash = Math.imul(hash, PRIME) ^ perNode.memoryMib;
  return Math.imul(hash, PRIME) ^ (gpuTypes[0] ?? "").length;
}

function isOf(shape: Shape, spec: JobSpec): boolean {
  const { nodes, perNode, gpuTypes, mixesGpuTypes, spot } = spec;
  const topology = topologyOf(spec);
  return (
    shape.nodes === nodes &&
    shape.perNode.gpus === perNode.gpus &&
    shape.perNode.cpuMilli === perNode.cpuMilli &&
    shape.perNode.memoryMib === perNode.memoryMib &&
    shape.gpuTypes.length === gpuTypes.length &&
    shape.gpuTypes.every((type, at) => type === gpuTypes[at]) &&
    shape.mixesGpuTypes === mixesGpuTypes &&
    shape.spot === spot &&
    shape.topology?.level === topology?.level &&
    shape.topology?.mode === topology?.mode
  );
}
