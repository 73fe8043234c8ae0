// `trainyard queue ls`.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";
import type { QueueView } from "../views/queue-view.ts";
import { queueView } from "../views/queue-view.ts";

export const queueLs = defineCommand({
  name: "ls",
  summary: "List the queues",
  operands: [],
  flags: {},
  examples: [
    { command: "trainyard queue ls", says: "entitlement, use and demand of each queue" },
    { command: "trainyard queue ls -o wide", says: "also weight, order and past use" },
  ],
  run: async ({ cluster, print }) => {
    const { queues } = await (await cluster()).listQueues({});
    print.list({
      kind: "QueueList",
      items: queues.map(queueView),
      columns,
      nameOf: (queue) => queue.path,
      whenEmpty: "No queues; jobs go to `default`. `trainyard queue apply FILE` makes some.",
    });
    return EXIT.ok;
  },
});

function columns(style: Style): readonly Column<QueueView>[] {
  return [
    { title: "QUEUE", cell: (queue) => queue.path, shrinkTo: 12, paint: style.bold },
    { title: "GUARANTEE", cell: (queue) => String(queue.guarantee), isRight: true },
    { title: "LIMIT", cell: (queue) => String(queue.limit ?? "-"), isRight: true },
    {
      title: "BORROW",
      cell: (queue) => String(queue.spec.borrowingLimit ?? "-"),
      isRight: true,
      isWide: true,
    },
    {
      title: "LEND",
      cell: (queue) => String(queue.spec.lendingLimit ?? "-"),
      isRight: true,
      isWide: true,
    },
    { title: "WEIGHT", cell: (queue) => String(queue.weight), isRight: true, isWide: true },
    { title: "ORDER", cell: (queue) => queue.order, isWide: true },
    { title: "GPUS", cell: (queue) => String(queue.allocatedGpus), isRight: true },
    { title: "DUE", cell: (queue) => queue.fairShareGpus.toFixed(1), isRight: true },
    { title: "RUNNING", cell: (queue) => String(queue.runningJobs), isRight: true },
    { title: "PENDING", cell: (queue) => String(queue.pendingJobs), isRight: true },
    {
      title: "PENDING GPUS",
      cell: (queue) => String(queue.pendingGpus),
      isRight: true,
      isWide: true,
    },
    {
      title: "USED GPU h",
      cell: (queue) => queue.usageGpuHours.toFixed(1),
      isRight: true,
      isWide: true,
    },
  ];
}
