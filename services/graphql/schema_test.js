// The schema's names are those of the shop, and not those of its tables.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { parse, visit } from "graphql";
import { SDL } from "./schema.js";

// What is called by its own name in a shop, too.
const EVERYDAY = new Set(["product", "variant", "title", "description", "status", "sku", "price", "currency", "id", "amount", "url", "after"]);
const SERVICES = new URL("../", import.meta.url);

/** Names of tables and columns that all migrations make. */
function namesOfTables() {
  const names = new Set();
  for (const service of readdirSync(SERVICES)) {
    let files = [];
    try {
      files = readdirSync(new URL(`${service}/migrations/`, SERVICES));
    } catch {
      continue;
    }
    for (const file of files) {
      const sql = readFileSync(new URL(`${service}/migrations/${file}`, SERVICES), "utf8").replace(/--.*$/gm, "");
      for (const [, table, columns] of sql.matchAll(/CREATE TABLE (\w+) \(([^;]*);/g)) {
        names.add(table);
        for (const [, column] of columns.matchAll(/^\s+([a-z_]+) +(?:text|bigint|int|boolean|timestamptz|date|jsonb|bytea|uuid)\b/gm)) names.add(column);
      }
      for (const [, column] of sql.matchAll(/ADD COLUMN (\w+)/g)) names.add(column);
    }
  }
  return names;
}

const camel = (/** @type {string} */ name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

test("no name of the schema is one of a table, but for those that everybody uses", () => {
  const tables = namesOfTables();
  for (const known of ["product_price_history", "inventory_stock", "on_hand", "tenant_id"]) assert.ok(tables.has(known), known);
  // The contract's own names are public: REST has them.
  const contract = ["product", "inventory"].map((name) => readFileSync(new URL(`../../protos/commerce/${name}/v1/service.proto`, import.meta.url), "utf8"));
  const published = new Set(contract.join("\n").match(/\b[a-z_]+(?= = \d+)/g));
  const hidden = new Set([...tables].filter((name) => !EVERYDAY.has(name) && !published.has(name)).flatMap((name) => [name, camel(name)]));
  for (const known of ["tenantId", "tenant_id", "inventory_stock"]) assert.ok(hidden.has(known), known);
  const found = [];
  visit(parse(SDL), { Name: ({ value }) => void (hidden.has(value) && found.push(value)) });
  assert.deepEqual(found, []);
  const words = SDL.match(/\b[a-z]+(_[a-z]+)+\b/g) ?? [];
  assert.deepEqual(words.filter((word) => tables.has(word)), []);
});

