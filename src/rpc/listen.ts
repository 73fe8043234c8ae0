// Where a server may listen: on loopback freely, elsewhere with TLS or an explicit `insecure`. Also
// turns certificates into gRPC credentials for both ends.

import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import {
  ChannelCredentials,
  type ChannelOptions,
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

/** What a channel to a server is made with. */
export interface ClientSecurity {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
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

/** `address` is the server's, as the client calls it: its certificate must name that. */
export function clientCredentials(tls: ClientTls | null, address: string): ClientSecurity {
  if (tls === null) return { credentials: ChannelCredentials.createInsecure(), options: {} };
  const { ca, identity } = tls;
  const pair = [identity?.key ?? null, identity?.cert ?? null] as const;
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) === 0)
    return { credentials: ChannelCredentials.createSsl(ca, ...pair), options: {} };
  // TLS has no server names that are numbers: Node warns about it on every call. So another name is
  // asked for, and the certificate is held against the number all the same.
  const verify = { checkServerIdentity: byAddress(host) };
  return {
    credentials: ChannelCredentials.createSsl(ca, ...pair, verify),
    options: { "grpc.ssl_target_name_override": NAME_FOR_ADDRESSES },
  };
}

const NAME_FOR_ADDRESSES = "trainyard.invalid";

function byAddress(host: string): (name: string, cert: PeerCertificate) => Error | undefined {
  return (_name, cert) => checkServerIdentity(host, cert);
}
