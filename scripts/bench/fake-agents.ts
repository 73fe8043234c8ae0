// The process that idle-agents.ts forks: so many fake agents, and word to the parent once all of them
// have been welcomed. Arguments: the scheduler's address, how many.

import { FakeAgent } from "./fake-agent.ts";

const [scheduler = "", count = ""] = process.argv.slice(2);
let welcomed = 0;
for (let n = 0; n < Number(count); n += 1) {
  const onWelcome = (): void => {
    welcomed += 1;
    if (welcomed === Number(count)) process.send?.("ready");
  };
  new FakeAgent({ scheduler, node: `node-${n}`, gpus: 8, onWelcome }).dial();
}
process.once("disconnect", () => process.exit(0));
