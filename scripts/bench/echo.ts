// The peer of submit.ts, a process of its own: a bare grpc-js server that answers SubmitJob and does
// nothing else. Tells its parent its address.

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { decodeService } from "../../src/rpc/loader.ts";

let count = 0;
const server = new Server();
server.addService(decodeService("JobService"), {
  SubmitJob: (_: unknown, reply: (error: null, value: object) => void) => {
    count += 1;
    reply(null, { jobId: `job-${count}`, isRepeat: false });
  },
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.send?.(`127.0.0.1:${port}`);
});
process.once("disconnect", () => process.exit(0));
