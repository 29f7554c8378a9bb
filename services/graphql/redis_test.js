// Cache and persisted queries on a Redis of the test's own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import test from "node:test";
import { createClient } from "@redis/client";
import { Cache } from "./cache.js";
import { PersistedQueries } from "./persisted.js";
import { Redis } from "./redis.js";

const PATIENCE_MS = 10_000;

/** @param {() => Promise<any>} condition */
async function until(condition) {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < end, "it did not come to that");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });

/** A Redis, a client as the service has it, and one that looks at it; all are gone at the test's end. */
async function start(t) {
  const port = await freePort();
  const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], { stdio: "ignore" });
  const url = `redis://127.0.0.1:${port}/0`;
  const redis = new Redis({ url, password: "", connectTimeout: 500, timeout: 100, retryAfter: 50 });
  await until(() => redis.ask((client) => client.ping()));
  const eye = createClient({ url });
  eye.on("error", () => {});
  await eye.connect();
  t.after(() => {
    redis.close();
    eye.destroy();
    server.kill("SIGCONT");
    server.kill("SIGKILL");
  });
  return { server, redis, eye };
}

test("what is kept is found, for its tenant and its time", async (t) => {
  const { redis, eye } = await start(t);
  const cache = new Cache(redis, 30_000);
  await cache.fill("product", "acme", new Map([["prd_1", { id: "prd_1" }]]), performance.now() - 1500);
  assert.deepEqual(await cache.find("product", "acme", ["prd_1", "prd_2"]), [{ id: "prd_1" }, undefined]);
  assert.deepEqual(await cache.find("product", "blue", ["prd_1"]), [undefined]);
  assert.deepEqual(await cache.find("stock", "acme", ["prd_1"]), [undefined]);
  // The time counts from the question to the owner on.
  const left = await eye.pTTL("gql:product:acme:prd_1");
  assert.ok(left <= 28_500 && left > 20_000, String(left));
});

test("what was asked for before a change does not come in after it", async (t) => {
  const { redis, eye } = await start(t);
  const cache = new Cache(redis, 30_000);
  const askedAt = performance.now();
  // As RedisEviction of libs/projections does it.
  await eye.set("gql:product:acme:prd_1", "", { expiration: { type: "PX", value: 3000 } });
  await cache.fill("product", "acme", new Map([["prd_1", "old"]]), askedAt);
  assert.deepEqual(await cache.find("product", "acme", ["prd_1"]), [undefined]);
  await cache.fill("product", "acme", new Map([["prd_2", "late"]]), askedAt - 2000);
  assert.deepEqual(await cache.find("product", "acme", ["prd_2"]), [undefined]);
});

test("of persisted queries those stay that are asked for", async (t) => {
  const { redis, eye } = await start(t);
  const queries = new PersistedQueries(redis, { ttl: 60_000, countMax: 3 });
  const later = () => until(async () => Date.now() > now);
  let now = 0;
  for (const name of ["a", "b", "c"]) {
    await queries.put(name, `query ${name}`);
    now = Date.now();
    await later();
  }
  assert.equal(await queries.find("a"), "query a");
  now = Date.now();
  await later();
  await queries.put("d", "query d");
  assert.deepEqual(await Promise.all(["a", "b", "c", "d"].map((name) => queries.find(name))), ["query a", undefined, "query c", "query d"]);
  assert.equal(await eye.dbSize(), 4);
  assert.ok((await eye.pTTL("gql:persisted:a")) > 50_000);
});

test("a Redis that hangs costs little, and is used again when it is back", async (t) => {
  const { server, redis } = await start(t);
  const cache = new Cache(redis, 30_000);
  await cache.fill("product", "acme", new Map([["prd_1", "kept"]]), performance.now());
  server.kill("SIGSTOP");
  const begin = performance.now();
  assert.deepEqual(await cache.find("product", "acme", ["prd_1"]), [undefined]);
  for (let i = 0; i < 1000; ++i) await cache.find("product", "acme", ["prd_1"]);
  assert.ok(performance.now() - begin < 2000);
  server.kill("SIGCONT");
  await until(async () => (await cache.find("product", "acme", ["prd_1"]))[0] === "kept");
});

test("without a Redis nothing is known, and nothing fails", async () => {
  const redis = new Redis({ url: "redis://127.0.0.1:1/0", password: "", connectTimeout: 100, timeout: 100, retryAfter: 50 });
  const cache = new Cache(redis, 30_000);
  await cache.fill("stock", "acme", new Map([["prd_1", {}]]), performance.now());
  assert.deepEqual(await cache.find("stock", "acme", ["prd_1"]), [undefined]);
  assert.equal(await new PersistedQueries(redis, { ttl: 1000, countMax: 1 }).find("a"), undefined);
  redis.close();
});
