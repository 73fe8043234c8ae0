// `trainyard queue delete QUEUE`.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";

export const queueDelete = defineCommand({
  name: "delete",
  summary: "Delete an empty queue",
  details: "Refused while jobs or other queues are in it.",
  operands: [{ name: "queue", help: "Full path.", isRequired: true, completion: "queue" }],
  flags: {},
  examples: [{ command: "trainyard queue delete research/old", says: "one queue" }],
  run: async ({ operands, cluster, print, io }) => {
    const path = operands[0] ?? "";
    await (await cluster()).deleteQueue({ requestId: io.newId(), path });
    print.one({
      kind: "QueueDeleted",
      name: path,
      value: { path },
      text: () => `${path} deleted\n`,
    });
    return EXIT.ok;
  },
});
