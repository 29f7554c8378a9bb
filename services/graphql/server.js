// HTTP: /graphql, and whether the process lives and serves.
import { createServer } from "node:http";
import { GraphQLError, parse } from "graphql";
import { createYoga } from "graphql-yoga";
import { callerOf } from "./caller.js";
import { refusal, shown, withoutHints } from "./errors.js";
import { checkLimits } from "./limits.js";
import { createLoaders } from "./loaders.js";
import { resolveQuery } from "./persisted.js";
import { createSchema } from "./schema.js";
import { Counter, Histogram, log, logLimited } from "./telemetry.js";

const requests = Counter("http_server_requests_total", "Requests answered.", ["route", "status"]);
const seconds = Histogram("http_server_request_seconds", "From a request's head to its answer.", ["route"]);
const refused = Counter("graphql_errors_total", "Errors in answers.", ["code"]);

/**
 * @param {import("./settings.js").Settings} settings
 * @param {{services: ReturnType<import("./services.js").connect>, cache: import("./cache.js").Cache,
 *          persisted: import("./persisted.js").PersistedQueries}} parts
 */
function createGraphql(settings, parts) {
  const limits = settings.graphql;
  /** @type {import("graphql-yoga").Plugin<any>} */
  const house = {
    async onParams({ params, setParams, request, context }) {
      const { query, hash } = await resolveQuery(params, request.method, parts.persisted);
      /** @type {any} */ (context).toPersist = hash && { hash, query };
      if (query !== params.query) setParams({ ...params, query });
    },
    onParse({ setParseFn, context }) {
      setParseFn((/** @type {any} */ source, /** @type {any} */ options) =>
        parse(source, { ...options, maxTokens: limits.tokensMax }),
      );
      return ({ result }) => {
        if (result && !(result instanceof Error)) checkLimits(result, context.params?.variables ?? {}, limits);
      };
    },
    onExecute({ args }) {
      const { toPersist } = args.contextValue;
      if (toPersist) void parts.persisted.put(toPersist.hash, toPersist.query);
    },
    onResultProcess({ result, setResult, serverContext }) {
      const one = /** @type {import("graphql").ExecutionResult} */ (result);
      if (!one.errors) return;
      const { traceId } = /** @type {any} */ (serverContext).caller;
      setResult({ ...one, errors: one.errors.map((error) => traced(error, traceId, limits.production)) });
    },
  };
  return createYoga({
    schema: createSchema(),
    graphqlEndpoint: "/graphql",
    landingPage: false,
    graphiql: false,
    cors: false,
    batching: false,
    multipart: false,
    logging: false,
    context: (/** @type {any} */ { caller }) => ({ loaders: createLoaders(parts, caller) }),
    maskedErrors: {
      maskError: (error) =>
        /** @type {Error} */ (
          shown(error, (cause) =>
            logLimited("error", "a field failed", { error: /** @type {any} */ (cause)?.stack ?? String(cause) }),
          )
        ),
    },
    plugins: [house],
  });
}

/** @param {GraphQLError} error @param {string} traceId @param {boolean} production */
function traced(error, traceId, production) {
  const code = String(error.extensions?.code ?? "BAD_USER_INPUT");
  refused.inc({ code });
  return new GraphQLError(production ? withoutHints(error.message) : error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    path: error.path,
    extensions: { ...error.extensions, code, traceId },
  });
}

/**
 * @param {import("./settings.js").Settings} settings
 * @param {Parameters<typeof createGraphql>[1]} parts
 * @param {() => boolean} isReady
 */
export function createHttp(settings, parts, isReady) {
  const yoga = createGraphql(settings, parts);
  const server = createServer((request, response) => {
    const path = request.url?.split("?", 1)[0];
    const route = path === "/graphql" || path === "/healthz" || path === "/readyz" ? path : "unmatched";
    const end = seconds.startTimer({ route });
    const caller = callerOf(request.headers);
    response.once("close", () => {
      end();
      requests.inc({ route, status: response.statusCode });
      log("debug", "request", { route, status: response.statusCode }, caller);
    });
    if (!isReady()) response.setHeader("Connection", "close");
    if (path === "/healthz" || path === "/readyz") {
      const good = path === "/healthz" || isReady();
      return void response.writeHead(good ? 200 : 503).end();
    }
    const problem = problemOf(request, settings.http.bodyBytesMax);
    if (problem) return void answer(response, problem[0], refusal(problem[1], problem[2]), caller.traceId);
    /** @type {any} */ (yoga)(request, response, { caller }).catch((/** @type {unknown} */ error) => {
      logLimited("error", "a request failed", { error: String(error) }, caller);
      response.destroy();
    });
  });
  server.maxConnections = settings.http.connectionsMax;
  server.requestTimeout = server.headersTimeout = settings.http.readTimeout;
  return server;
}

/** @param {import("node:http").IncomingMessage} request @param {number} bytesMax @returns {[number, string, string] | undefined} */
function problemOf(request, bytesMax) {
  if (request.url?.split("?", 1)[0] !== "/graphql") return [404, "ROUTE_NOT_FOUND", "no such path"];
  if (request.method === "GET") return undefined;
  if (request.method !== "POST") return [405, "METHOD_NOT_ALLOWED", "the path has GET and POST"];
  const length = request.headers["content-length"];
  if (length === undefined) return [411, "LENGTH_REQUIRED", "send Content-Length"];
  if (Number(length) > bytesMax) return [413, "BODY_TOO_LARGE", `a request has at most ${bytesMax} bytes`];
  return undefined;
}

/** @param {import("node:http").ServerResponse} response @param {number} status @param {GraphQLError} error @param {string} traceId */
function answer(response, status, error, traceId) {
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Connection", "close");
  response.writeHead(status).end(JSON.stringify({ errors: [traced(error, traceId, true)] }));
}
