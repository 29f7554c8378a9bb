// Who calls: what of a request's headers goes on to the services, which check it.
import { Metadata } from "@grpc/grpc-js";
import { parseTraceparent } from "./telemetry.js";

/** @typedef {{authorization: string, tenant: string, correlationId: string, traceId: string, traceparent: string}} Caller */

/** @param {string | string[] | undefined} value */
const printable = (value) => (typeof value === "string" && /^[ -~]{1,128}$/.test(value) ? value : "");

/** @param {import("node:http").IncomingHttpHeaders} headers @returns {Caller} */
export function callerOf(headers) {
  const trace = parseTraceparent(printable(headers.traceparent));
  return {
    ...trace,
    authorization: headers.authorization ?? "",
    tenant: printable(headers["x-tenant-id"]),
    correlationId: printable(headers["correlation-id"]) || printable(headers["x-request-id"]) || trace.traceId,
  };
}

/** As libs/rpc sends it. @param {Caller} caller */
export function metadataOf(caller) {
  const metadata = new Metadata();
  if (caller.authorization) metadata.set("authorization", caller.authorization);
  if (caller.tenant) metadata.set("x-tenant-id", caller.tenant);
  metadata.set("correlation-id", caller.correlationId);
  metadata.set("traceparent", caller.traceparent);
  return metadata;
}
