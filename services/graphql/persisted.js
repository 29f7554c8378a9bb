// Automatic persisted queries: a query that was sent once with its SHA-256 is known by that, in Redis, for all replicas.
import { createHash } from "node:crypto";
import { refusal } from "./errors.js";

const INDEX = "gql:persisted";

// Puts a query, notes when it was asked for, and takes the ones away that nobody asked for the longest.
const PUT = `
  redis.call('SET', KEYS[1] .. ':' .. ARGV[1], ARGV[2], 'PX', ARGV[3])
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[5])
  if over > 0 then
    local oldest = redis.call('ZPOPMIN', KEYS[1], over)
    for i = 1, #oldest, 2 do redis.call('DEL', KEYS[1] .. ':' .. oldest[i]) end
  end
  return 0`;
const GET = `
  local query = redis.call('GETEX', KEYS[1] .. ':' .. ARGV[1], 'PX', ARGV[2])
  if query then
    redis.call('ZADD', KEYS[1], 'XX', ARGV[3], ARGV[1])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
  return query`;

export class PersistedQueries {
  #redis;
  #settings;

  /** @param {import("./redis.js").Redis} redis @param {import("./settings.js").Settings["persisted"]} settings */
  constructor(redis, settings) {
    this.#redis = redis;
    this.#settings = settings;
  }

  /** Undefined when it is not known, or Redis is away: clients send the whole query then. @param {string} hash */
  async find(hash) {
    const found = await this.#redis.ask((client) =>
      client.eval(GET, { keys: [INDEX], arguments: [hash, String(this.#settings.ttl), String(Date.now())] }),
    );
    return /** @type {string | undefined} */ (found ?? undefined);
  }

  /** @param {string} hash @param {string} query */
  async put(hash, query) {
    const { ttl, countMax } = this.#settings;
    const words = [hash, query, String(ttl), String(Date.now()), String(countMax)];
    await this.#redis.ask((client) => client.eval(PUT, { keys: [INDEX], arguments: words }));
  }
}

/**
 * The request with its query, which may have been a hash only.
 * @param {{query?: string, extensions?: any}} params
 * @param {string} method
 * @param {PersistedQueries} store
 * @returns {Promise<{query?: string, hash?: string}>} with `hash`: to be put into the store when it has proved to be valid
 */
export async function resolveQuery(params, method, store) {
  const persisted = params.extensions?.persistedQuery;
  if (method === "GET" && params.query)
    throw refusal("PERSISTED_QUERY_REQUIRED", "GET takes persisted queries only: send the query by POST", 400);
  if (!persisted) return { query: params.query };
  const hash = persisted.sha256Hash;
  if (persisted.version !== 1 || typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash))
    throw refusal("PERSISTED_QUERY_INVALID", "persistedQuery needs version 1 and sha256Hash", 400);
  if (typeof params.query === "string") {
    if (createHash("sha256").update(params.query).digest("hex") !== hash)
      throw refusal("PERSISTED_QUERY_INVALID", "sha256Hash is not that of the query", 400);
    return { query: params.query, hash };
  }
  const query = await store.find(hash);
  // Its text and code are those that clients of Apollo look for.
  if (query === undefined) throw refusal("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", 200);
  return { query };
}
