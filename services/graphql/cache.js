// Products and their stock for a while, in Redis: "gql:product:<tenant>:<productId>", "gql:stock:<tenant>:<productId>".
//
// Whoever owns the data empties the key when it hears of a change (product and inventory, libs/projections' RedisEviction), and an
// emptied key stays for 3 s. It is filled only where there is none, and only with what was asked for less than 2 s ago: so
// what was read before a change does not come in after it.
import { Counter } from "./telemetry.js";

const FILL_WITHIN_MS = 2000;

const reads = Counter("graphql_cache_reads_total", "What was looked for in the cache.", ["part", "outcome"]);

export class Cache {
  #redis;
  #ttl;

  /** @param {import("./redis.js").Redis} redis @param {number} ttl milliseconds from the question to the owner on */
  constructor(redis, ttl) {
    this.#redis = redis;
    this.#ttl = ttl;
  }

  /**
   * What is known of these ids, in their order; undefined for the others.
   * @param {"product" | "stock"} part
   * @param {string} tenant
   * @param {readonly string[]} ids
   * @returns {Promise<any[]>}
   */
  async find(part, tenant, ids) {
    const texts = await this.#redis.ask((client) => client.mGet(ids.map((id) => keyOf(part, tenant, id))));
    const found = ids.map((_, index) => (texts?.[index] ? JSON.parse(texts[index]) : undefined));
    const hits = found.filter((value) => value !== undefined).length;
    reads.inc({ part, outcome: "hit" }, hits);
    reads.inc({ part, outcome: "miss" }, ids.length - hits);
    return found;
  }

  /**
   * @param {"product" | "stock"} part
   * @param {string} tenant
   * @param {Map<string, any>} values by id
   * @param {number} askedAt by performance.now(), when the owner was asked
   */
  async fill(part, tenant, values, askedAt) {
    const age = Math.ceil(performance.now() - askedAt);
    if (age >= FILL_WITHIN_MS || values.size === 0) return;
    const options = { condition: "NX", expiration: { type: "PX", value: this.#ttl - age } };
    await this.#redis.ask((client) =>
      Promise.all([...values].map(([id, value]) => client.set(keyOf(part, tenant, id), JSON.stringify(value), options))),
    );
  }
}

/** @param {string} part @param {string} tenant @param {string} id */
const keyOf = (part, tenant, id) => `gql:${part}:${tenant}:${id}`;
