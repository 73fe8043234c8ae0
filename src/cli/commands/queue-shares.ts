// `trainyard queue shares`: what is due to each queue beside what it has, as bars.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Printer } from "../terminal/print.ts";
import { displayWidth, padEnd, printable, truncate } from "../terminal/width.ts";
import type { QueueView } from "../views/queue-view.ts";
import { depthOf, queueView } from "../views/queue-view.ts";

export const queueShares = defineCommand({
  name: "shares",
  summary: "Compare what is due to each queue with what it has",
  details: `█ is what a queue has, ░ what is due to it besides, and | its guarantee. Due is its
guarantee and its weighted part of the rest, as far as it asks for it.`,
  operands: [],
  flags: {},
  examples: [
    { command: "trainyard queue shares", says: "who has more or less than is due" },
    {
      command:
        "trainyard queue shares --json | jq '.items[] | select(.fairShareGpus > .allocatedGpus)'",
      says: "queues that wait for their share",
    },
  ],
  run: async ({ cluster, print }) => {
    const { queues } = await (await cluster()).listQueues({});
    const items = queues.map(queueView);
    if (print.format === "table" || print.format === "wide") {
      if (items.length === 0) print.note("No queues.");
      else print.text(bars(items, print));
      return EXIT.ok;
    }
    print.list({
      kind: "QueueList",
      items,
      columns: () => [],
      nameOf: (queue) => queue.path,
      whenEmpty: "No queues.",
    });
    return EXIT.ok;
  },
});

const BAR_MAX = 40;
const BAR_MIN = 10;

function bars(queues: readonly QueueView[], print: Printer): string {
  const names = queues.map((queue) => {
    const name = queue.path.split("/").at(-1) ?? "";
    return printable(`${"  ".repeat(depthOf(queue))}${name}`);
  });
  const numbers = queues.map(
    (queue) => `${queue.allocatedGpus} of ${queue.fairShareGpus.toFixed(1)} due`,
  );
  const numbersWidth = Math.max(...numbers.map((text) => text.length));
  const room = Math.min(print.width, 120) - numbersWidth - 4;
  const nameWidth = Math.min(Math.max(...names.map(displayWidth)), Math.max(8, room - BAR_MIN));
  const barWidth = Math.max(BAR_MIN, Math.min(BAR_MAX, room - nameWidth));
  const scale = Math.max(
    1,
    ...queues.flatMap((q) => [q.allocatedGpus, q.fairShareGpus, q.guarantee]),
  );
  const lines = queues.map((queue, index) => {
    const name = padEnd(truncate(names[index] ?? "", nameWidth), nameWidth);
    return `${name}  ${bar(queue, barWidth, scale, print)}  ${numbers[index] ?? ""}`;
  });
  return `${lines.join("\n")}\n`;
}

function bar(queue: QueueView, width: number, scale: number, { style }: Printer): string {
  const cells = (gpus: number): number => Math.round((gpus / scale) * width);
  const has = cells(queue.allocatedGpus);
  const due = cells(queue.fairShareGpus);
  const guarantee = Math.min(width, cells(queue.guarantee)) - 1;
  const paint = queue.allocatedGpus > queue.fairShareGpus + 0.5 ? style.warn : style.good;
  let text = "";
  for (let cell = 0; cell < width; cell++) {
    if (cell === guarantee && queue.guarantee > 0) text += style.bold("|");
    else if (cell < has) text += paint("█");
    else text += cell < due ? style.dim("░") : " ";
  }
  return text;
}
