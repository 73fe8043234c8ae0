// Where rank 0's torchrun will listen. The port is free when it is chosen and free again when it is
// handed out: another program may take it in between, which `isPortTaken` of core/exit-message.ts
// recognises, and which counts as no failure of the job.

import { createServer } from "node:net";
import type { Rendezvous } from "../scheduler/core/job.ts";

/** Rejects when the host's address is not one of this machine. */
export function chooseRendezvous(address: string): Promise<Rendezvous> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => {
      reject(
        new Error(
          `cannot listen on ${address} (${error.message}): set --advertise-address to an address ` +
            "of this machine that the other nodes reach",
        ),
      );
    });
    server.listen({ host: address, port: 0 }, () => {
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : 0;
      server.close(() => resolve({ host: address, port }));
    });
  });
}
