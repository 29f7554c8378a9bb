import assert from "node:assert/strict";
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { bind, Binder, parseDuration } from "./settings.js";

const YAML = readFileSync(new URL("graphql.yaml", import.meta.url), "utf8");

/** @param {string} yaml @param {Record<string, string>} environment */
function problemsOf(yaml, environment = {}) {
  const binder = new Binder(yaml, environment);
  bind(binder);
  try {
    binder.finish();
    return [];
  } catch (error) {
    return /** @type {Error} */ (error).message.split("\n");
  }
}

test("the file is complete, and every key is bound", () => assert.deepEqual(problemsOf(YAML), []));

test("the environment stands above the file", () => {
  const settings = bind(new Binder(YAML, { BV_HTTP_ADDRESS: "0.0.0.0:80", BV_CACHE_TTL: "10s", BV_HTTP_NONSENSE: "1" }));
  assert.deepEqual(settings.http.address, { host: "0.0.0.0", port: 80 });
  assert.equal(settings.cache.ttl, 10_000);
});

test("all that is wrong is said at once, with its variable", () => {
  const problems = problemsOf(`${YAML}unknown: {key: 1}\n`.replace("tokens_max: 1000", "tokens_max: many"), {
    BV_PEER_TIMEOUT: "1m",
    BV_GRAPHQL_PRODUCTION: "yes",
    BV_HTTP_ADDRESS: "here",
    BV_LOG_LEVEL: "loud",
    BV_REDIS_URL: "",
  });
  const keys = ["log.level", "http.address", "peer.timeout", "redis.url", "graphql.production", "graphql.tokens_max", "unknown.key"];
  assert.deepEqual(problems.map((problem) => problem.split(" ")[0]), keys);
  assert.match(problems[2], /BV_PEER_TIMEOUT/);
});

test("a key that the file lacks is an error, whatever the environment says", () => {
  const without = YAML.replace(/^ *retry_after: .*\n/m, "");
  assert.deepEqual(problemsOf(without, { BV_REDIS_RETRY_AFTER: "1s" }), ["redis.retry_after (BV_REDIS_RETRY_AFTER) is missing in the file"]);
});

test("a secret is of the environment or of a file, and is not printed", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "graphql-settings-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "password"), "open sesame\n");
  const binder = new Binder(YAML, { BV_REDIS_PASSWORD_FILE: join(folder, "password") });
  assert.equal(bind(binder).redis.password, "open sesame");
  assert.doesNotMatch(binder.print(), /sesame/);
  assert.match(binder.print(), /^redis.password: \*\*\*$/m);
  assert.match(problemsOf(YAML.replace('password: ""', "password: x"))[0], /secret/);
  assert.match(problemsOf(YAML, { BV_REDIS_PASSWORD_FILE: join(folder, "none") })[0], /cannot be read/);
});

test("durations are what libs/config takes", () => {
  assert.equal(parseDuration("250ms"), 250);
  assert.equal(parseDuration("1h30m"), 5_400_000);
  for (const text of ["", "5", "s", "1d", "1.5s", "-1s"]) assert.ok(Number.isNaN(parseDuration(text)), text);
});
