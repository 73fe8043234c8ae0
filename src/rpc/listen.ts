// Where a server may listen: on loopback freely, elsewhere with TLS or an explicit `insecure`. Also
// turns certificates into gRPC credentials for both ends.

import {
  ChannelCredentials,
  logVerbosity,
  ServerCredentials,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { type Refusal, refuse } from "../base/errors.ts";

// grpc-js prints some errors to stderr besides returning them, in the middle of a CLI's output.
setLogVerbosity(logVerbosity.NONE);

export interface ServerTls {
  /** PEM certificate chain. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** PEM of who may sign client certificates; null = clients need none. */
  readonly clientCa: Buffer | null;
}

export interface ClientTls {
  /** PEM of who may sign the server's certificate; null = the system's. */
  readonly ca: Buffer | null;
  /** This client's own certificate and key; null = none. */
  readonly identity: { readonly cert: Buffer; readonly key: Buffer } | null;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/;

/** Why `address` (`host:port`) must not be served in plain text; null when it may. */
export function plainTextRefusal(address: string, isInsecure: boolean): Refusal | null {
  const host = address.slice(0, address.lastIndexOf(":"));
  if (isInsecure || LOOPBACK.test(host)) return null;
  return refuse(
    "INVALID_OPTION",
    `${address} can be reached from other machines, and there is no TLS.`,
    "Give --tls-cert and --tls-key; on a network that you trust, say --insecure.",
    "listen",
  );
}

export function serverCredentials(tls: ServerTls | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  const pair = [{ cert_chain: tls.cert, private_key: tls.key }];
  return ServerCredentials.createSsl(tls.clientCa, pair, tls.clientCa !== null);
}

export function clientCredentials(tls: ClientTls | null): ChannelCredentials {
  if (tls === null) return ChannelCredentials.createInsecure();
  const { ca, identity } = tls;
  return ChannelCredentials.createSsl(ca, identity?.key ?? null, identity?.cert ?? null);
}
