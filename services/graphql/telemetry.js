// What the process says about itself, in the form of libs/telemetry: JSON lines on standard output, metrics for Prometheus.
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import prometheus from "prom-client";

const SERVICE = "graphql";
const LEVELS = ["trace", "debug", "info", "warn", "error"];
const TEXT_MAX = 8192;

let lowest = LEVELS.indexOf("info");

/** @param {string} level */
export function setLogLevel(level) {
  lowest = LEVELS.indexOf(level);
}

/**
 * @param {"debug" | "info" | "warn" | "error"} level
 * @param {string} message a fixed text; what varies is a field
 * @param {Record<string, unknown>} fields
 * @param {import("./caller.js").Caller} [caller]
 */
export function log(level, message, fields = {}, caller) {
  if (LEVELS.indexOf(level) < lowest) return;
  const known = caller && {
    traceId: caller.traceId,
    tenantId: caller.tenant || undefined,
    correlationId: caller.correlationId,
  };
  const time = new Date().toISOString().replace("Z", "000Z");
  const line = JSON.stringify({ time, level, service: SERVICE, message, ...known, ...fields }, (_, value) =>
    typeof value === "string" && value.length > TEXT_MAX ? value.slice(0, TEXT_MAX) : value,
  );
  process.stdout.write(line + "\n");
}

const limited = new Map();

/** As log, for what can fail in a loop: a line a second for each message, with the number left out. @type {typeof log} */
export function logLimited(level, message, fields = {}, caller) {
  const last = limited.get(message) ?? { at: -Infinity, left: 0 };
  if (performance.now() - last.at < 1000) {
    limited.set(message, { ...last, left: last.left + 1 });
    return;
  }
  limited.set(message, { at: performance.now(), left: 0 });
  log(level, message, last.left ? { ...fields, leftOut: last.left } : fields, caller);
}

const registry = new prometheus.Registry();
prometheus.collectDefaultMetrics({ register: registry });

/** @param {string} name @param {string} help @param {string[]} labelNames */
export const Counter = (name, help, labelNames = []) =>
  new prometheus.Counter({ name, help, labelNames, registers: [registry] });
/** @param {string} name @param {string} help */
export const Gauge = (name, help) => new prometheus.Gauge({ name, help, registers: [registry] });
/** @param {string} name @param {string} help @param {string[]} labelNames */
export const Histogram = (name, help, labelNames = []) =>
  new prometheus.Histogram({
    name,
    help,
    labelNames,
    registers: [registry],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  });

export const ready = Gauge("bv_ready", "1 while the process serves.");

/** Serves /metrics. @param {{host: string, port: number}} address */
export function serveMetrics(address) {
  const server = createServer(async (request, response) => {
    if (request.url !== "/metrics") return void response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": registry.contentType }).end(await registry.metrics());
  });
  server.headersTimeout = server.requestTimeout = 3000;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, () => resolve(server));
  });
}

/** The trace of a W3C traceparent; a new one, not sampled, when it is malformed. @param {string | undefined} text */
export function parseTraceparent(text) {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(text ?? "");
  if (match && !/^0+$/.test(match[1]) && !/^0+$/.test(match[2])) return { traceId: match[1], traceparent: match[0] };
  const traceId = randomBytes(16).toString("hex");
  return { traceId, traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-00` };
}
