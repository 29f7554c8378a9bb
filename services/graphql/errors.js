// What a client gets to know of what went wrong: a stable code, a text of ours, and the trace under which the log has the rest.
import { status } from "@grpc/grpc-js";
import { GraphQLError } from "graphql";

/** Codes and texts by the code of gRPC; anything else is the last one. */
const OF_SERVICES = new Map([
  [status.UNAUTHENTICATED, ["UNAUTHENTICATED", "the token is not valid"]],
  [status.PERMISSION_DENIED, ["FORBIDDEN", "the token does not allow this"]],
  [status.INVALID_ARGUMENT, ["BAD_USER_INPUT", "a value is not one that can be asked for"]],
  [status.RESOURCE_EXHAUSTED, ["OVERLOADED", "too many requests at the moment: try again in a second"]],
  [status.UNAVAILABLE, ["SERVICE_UNAVAILABLE", "not available at the moment: try again in a second"]],
  [status.DEADLINE_EXCEEDED, ["TIMEOUT", "no answer came in time"]],
]);
const INTERNAL = ["INTERNAL_SERVER_ERROR", "something went wrong inside; the trace id leads to it"];

/**
 * @param {string} code
 * @param {string} message
 * @param {number} [httpStatus] of a request of which nothing is answered
 */
export function refusal(code, message, httpStatus) {
  return new GraphQLError(message, { extensions: { code, ...(httpStatus && { http: { status: httpStatus } }) } });
}

/** @param {{code?: number}} error of a call */
export function refusalOfService(error) {
  const [code, message] = OF_SERVICES.get(error.code ?? -1) ?? INTERNAL;
  return refusal(code, message);
}

/** Without names that the client has not said. @param {string} text */
export const withoutHints = (text) => text.replace(/ ?Did you mean [^]*$/, "");

/**
 * The error as it is shown. `unexpected` hears of what must not be.
 * @param {any} error
 * @param {(error: unknown) => void} unexpected
 */
export function shown(error, unexpected) {
  if (!(error instanceof GraphQLError)) {
    unexpected(error);
    return refusal(INTERNAL[0], INTERNAL[1]);
  }
  const cause = error.originalError;
  if (cause && !(cause instanceof GraphQLError)) {
    unexpected(cause);
    return new GraphQLError(INTERNAL[1], { nodes: error.nodes, path: error.path, extensions: { code: INTERNAL[0] } });
  }
  const code = error.extensions?.code ?? (error.message.startsWith("Syntax Error") ? "GRAPHQL_PARSE_FAILED" : "BAD_USER_INPUT");
  const http = error.extensions?.http;
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    path: error.path,
    extensions: { code, ...(http !== undefined && { http }) },
  });
}
