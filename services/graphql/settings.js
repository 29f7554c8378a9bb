// Typed settings: the YAML file has every setting with its default, the environment overrides single ones, and
// whatever is wrong is reported at once. The same rules as libs/config.
import { readFileSync } from "node:fs";
import { parse } from "yaml";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Thrown with one line for each wrong setting. */
export class SettingsError extends Error {}

/**
 * Milliseconds of "250ms", "15s", "1h30m"; NaN for anything else.
 * @param {string} text
 */
export function parseDuration(text) {
  if (!/^(\d+(ms|[smh]))+$/.test(text)) return NaN;
  let millis = 0;
  for (const [, number, unit] of text.matchAll(/(\d+)(ms|[smh])/g)) millis += Number(number) * UNITS[unit];
  return millis;
}

/** @param {string} key */
export const variableOf = (key) => "BV_" + key.toUpperCase().replaceAll(".", "_");

/**
 * The keys of the file, dotted, with what stands behind them.
 * @param {object} tree
 * @param {string} prefix
 * @returns {Map<string, any>}
 */
function flatten(tree, prefix = "") {
  const found = new Map();
  for (const [name, value] of Object.entries(tree ?? {})) {
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      for (const [key, inner] of flatten(value, `${prefix}${name}.`)) found.set(key, inner);
    } else {
      found.set(prefix + name, value);
    }
  }
  return found;
}

export class Binder {
  #file;
  #environment;
  #asked = new Set();
  #problems = [];
  #shown = new Map();

  /**
   * @param {string} yaml
   * @param {Record<string, string | undefined>} environment
   */
  constructor(yaml, environment) {
    this.#file = flatten(parse(yaml));
    this.#environment = environment;
  }

  /** @param {string} key @param {string} problem */
  #complain(key, problem) {
    this.#problems.push(`${key} (${variableOf(key)}) ${problem}`);
  }

  /** @param {string} key @returns {string | undefined} */
  #textOf(key) {
    this.#asked.add(key);
    if (!this.#file.has(key)) {
      this.#complain(key, "is missing in the file");
      return undefined;
    }
    const text = this.#environment[variableOf(key)] ?? String(this.#file.get(key));
    this.#shown.set(key, text);
    return text;
  }

  /** @param {string} key */
  text(key) {
    const text = this.#textOf(key);
    if (text === "") this.#complain(key, "must not be empty");
    return text ?? "";
  }

  /** @param {string} key @param {number} min @param {number} max */
  integer(key, min, max) {
    const text = this.#textOf(key);
    const value = Number(text);
    if (text !== undefined && !(/^-?\d+$/.test(text) && value >= min && value <= max))
      this.#complain(key, `must be a whole number of ${min} to ${max}`);
    return value;
  }

  /** Milliseconds. @param {string} key @param {string} min @param {string} max */
  duration(key, min, max) {
    const text = this.#textOf(key);
    const value = parseDuration(text ?? "");
    if (text !== undefined && !(value >= parseDuration(min) && value <= parseDuration(max)))
      this.#complain(key, `must be a duration of ${min} to ${max}`);
    return value;
  }

  /** @param {string} key */
  flag(key) {
    const text = this.#textOf(key);
    if (text !== undefined && text !== "true" && text !== "false") this.#complain(key, "must be true or false");
    return text === "true";
  }

  /** @template {string} T @param {string} key @param {readonly T[]} words @returns {T} */
  choice(key, words) {
    const text = this.#textOf(key);
    if (text !== undefined && !words.includes(/** @type {T} */ (text)))
      this.#complain(key, `must be one of ${words.join(", ")}`);
    return /** @type {T} */ (text);
  }

  /** host:port. @param {string} key @returns {{host: string, port: number}} */
  address(key) {
    const text = this.text(key);
    const match = /^(.+):(\d{1,5})$/.exec(text);
    if (text && !(match && Number(match[2]) <= 65535)) this.#complain(key, "must be host:port");
    return { host: match?.[1] ?? "", port: Number(match?.[2]) };
  }

  /** Of the environment, or of a file that it names; empty when there is none. @param {string} key */
  secret(key) {
    this.#textOf(key);
    this.#shown.set(key, "***");
    if (this.#file.get(key)) this.#complain(key, "is a secret, which the file must not hold");
    const path = this.#environment[`${variableOf(key)}_FILE`];
    if (path === undefined) return this.#environment[variableOf(key)] ?? "";
    try {
      return readFileSync(path, "utf8").replace(/\n$/, "");
    } catch {
      this.#complain(key, "names a file that cannot be read");
      return "";
    }
  }

  /** Throws what is wrong, all of it. */
  finish() {
    for (const key of this.#file.keys()) {
      if (!this.#asked.has(key)) this.#complain(key, "is unknown");
    }
    if (this.#problems.length > 0) throw new SettingsError(this.#problems.join("\n"));
  }

  /** What holds, without secrets. */
  print() {
    return [...this.#shown].map(([key, text]) => `${key}: ${text}\n`).join("");
  }
}

/** @typedef {ReturnType<typeof bind>} Settings */

/** Every setting of the service. @param {Binder} b */
export function bind(b) {
  return {
    log: { level: b.choice("log.level", ["trace", "debug", "info", "warn", "error"]) },
    metrics: { address: b.address("metrics.address") },
    http: {
      address: b.address("http.address"),
      bodyBytesMax: b.integer("http.body_bytes_max", 1024, 1 << 20),
      connectionsMax: b.integer("http.connections_max", 1, 100_000),
      readTimeout: b.duration("http.read_timeout", "100ms", "5m"),
    },
    drain: { delay: b.duration("drain.delay", "0s", "10m"), timeout: b.duration("drain.timeout", "0s", "10m") },
    product: { address: b.text("product.address") },
    inventory: { address: b.text("inventory.address") },
    // Shorter than an emptied key of the cache stays empty: see cache.js.
    peer: { timeout: b.duration("peer.timeout", "10ms", "2s") },
    redis: {
      url: b.text("redis.url"),
      password: b.secret("redis.password"),
      connectTimeout: b.duration("redis.connect_timeout", "1ms", "1m"),
      timeout: b.duration("redis.timeout", "1ms", "500ms"),
      retryAfter: b.duration("redis.retry_after", "1ms", "1m"),
    },
    cache: { ttl: b.duration("cache.ttl", "3s", "30s") },
    graphql: {
      production: b.flag("graphql.production"),
      tokensMax: b.integer("graphql.tokens_max", 1, 100_000),
      depthMax: b.integer("graphql.depth_max", 1, 100),
      aliasesMax: b.integer("graphql.aliases_max", 0, 10_000),
      directivesMax: b.integer("graphql.directives_max", 0, 10_000),
      productsMax: b.integer("graphql.products_max", 1, 100),
      costMax: b.integer("graphql.cost_max", 1, 10_000_000),
    },
    persisted: {
      ttl: b.duration("persisted.ttl", "1s", "720h"),
      countMax: b.integer("persisted.count_max", 1, 100_000),
    },
  };
}
