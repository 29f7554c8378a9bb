import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { digitsOf, moneyOf } from "./shapes.js";

test("money has the digits of its currency", () => {
  for (const [minorUnits, currency, amount] of /** @type {[number, string, string][]} */ ([
    [2500, "USD", "25.00"],
    [5, "USD", "0.05"],
    [0, "EUR", "0.00"],
    [-5, "USD", "-0.05"],
    [500, "JPY", "500"],
    [1, "KWD", "0.001"],
    [1_000_000_000_000, "USD", "10000000000.00"],
  ]))
    assert.deepEqual(moneyOf(minorUnits, currency), { amount, currency });
});

test("digits are those of libs/base", () => {
  const source = readFileSync(new URL("../../libs/base/money.cc", import.meta.url), "utf8");
  const tables = { kTwoDigits: 2, kNoDigits: 0, kThreeDigits: 3 };
  for (const [table, digits] of Object.entries(tables)) {
    const codes = new RegExp(`${table}\\[\\] = \\{([^}]*)\\}`).exec(source)?.[1].match(/[A-Z]{3}/g) ?? [];
    assert.ok(codes.length > 5, table);
    for (const code of codes) assert.equal(digitsOf(code), digits, code);
  }
});
