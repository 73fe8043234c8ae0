// `trainyard node ls`.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";
import type { NodeView } from "../views/node-view.ts";
import { freeGpus, nodeNote, nodeState, nodeView } from "../views/node-view.ts";

export const nodeLs = defineCommand({
  name: "ls",
  summary: "List the nodes",
  operands: [],
  flags: {},
  examples: [
    { command: "trainyard node ls", says: "what is there and what is free" },
    { command: "trainyard node ls -o wide", says: "also addresses, memory, labels and versions" },
  ],
  run: async ({ cluster, print }) => {
    const { nodes } = await (await cluster()).listNodes({});
    print.list({
      kind: "NodeList",
      items: nodes.map(nodeView),
      columns,
      nameOf: (node) => node.name,
      whenEmpty: "No nodes. Start `trainyard agent` on one.",
    });
    return EXIT.ok;
  },
});

function columns(style: Style): readonly Column<NodeView>[] {
  return [
    { title: "NODE", cell: (node) => node.name, shrinkTo: 10, paint: style.bold },
    { title: "STATE", cell: nodeState, paint: (text) => style.phase(text) },
    { title: "GPUS", cell: (node) => String(node.gpus.length), isRight: true },
    { title: "FREE", cell: (node) => String(freeGpus(node)), isRight: true },
    { title: "TYPE", cell: gpuTypes, shrinkTo: 8, dropRank: 2 },
    { title: "PLACE", cell: placeText, shrinkTo: 6, dropRank: 3 },
    { title: "JOBS", cell: (node) => node.jobs.join(" "), shrinkTo: 8 },
    {
      title: "CORES",
      cell: (node) => (node.cpuMilli / 1000).toFixed(0),
      isRight: true,
      isWide: true,
    },
    {
      title: "MEMORY",
      cell: (node) => `${Math.floor(node.memoryMib / 1024)}GiB`,
      isRight: true,
      isWide: true,
    },
    { title: "ADDRESS", cell: (node) => node.address, isWide: true, shrinkTo: 12 },
    { title: "AGENT", cell: (node) => node.agentVersion, isWide: true },
    { title: "LABELS", cell: labelText, isWide: true, shrinkTo: 10 },
    { title: "NOTE", cell: nodeNote, shrinkTo: 8, dropRank: 1, paint: style.dim },
  ];
}

/** The rack with its block, else the block; several islands; whether and when it may go away. */
function placeText({ rack, block, gpus, isSpot, goesAt }: NodeView): string {
  const islands = new Set(gpus.map(({ island }) => island).filter((island) => island !== ""));
  const words = [
    rack === "" ? block : rack,
    islands.size < 2 ? "" : `${islands.size} islands`,
    isSpot ? "spot" : "",
    goesAt === null ? "" : `goes at ${goesAt.slice(11, 19)}Z`,
  ];
  return words.filter((word) => word !== "").join(" ");
}

function gpuTypes(node: NodeView): string {
  return [...new Set(node.gpus.map((gpu) => gpu.type))].join(" ");
}

function labelText(node: NodeView): string {
  return Object.entries(node.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
