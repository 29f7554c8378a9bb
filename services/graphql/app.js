// The parts in the order of their start, and their end.
import { Cache } from "./cache.js";
import { PersistedQueries } from "./persisted.js";
import { Redis } from "./redis.js";
import { createHttp } from "./server.js";
import { connect } from "./services.js";
import { log, ready, serveMetrics, setLogLevel } from "./telemetry.js";

/** Serves until SIGTERM or SIGINT, and ends the process then. @param {import("./settings.js").Settings} settings */
export async function start(settings) {
  let serves = false;
  setLogLevel(settings.log.level);
  ready.set(0);
  await serveMetrics(settings.metrics.address);
  const redis = new Redis(settings.redis);
  const parts = {
    services: connect(settings),
    cache: new Cache(redis, settings.cache.ttl),
    persisted: new PersistedQueries(redis, settings.persisted),
  };
  const server = createHttp(settings, parts, () => serves);
  const { host, port } = settings.http.address;
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(undefined));
  });

  const end = async () => {
    serves = false;
    ready.set(0);
    log("info", "draining");
    await new Promise((resolve) => setTimeout(resolve, settings.drain.delay));
    const ended = new Promise((resolve) => server.close(resolve));
    const late = new Promise((resolve) => setTimeout(resolve, settings.drain.timeout));
    await Promise.race([ended, late]);
    parts.services.close();
    redis.close();
    log("info", "ended");
    process.exit(0);
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  serves = true;
  ready.set(1);
  log("info", "serving HTTP", { port, production: settings.graphql.production });
}
