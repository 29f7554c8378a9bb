// Services and stores of a test's own, and a server in front of them.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createHttp } from "./server.js";
import { bind, Binder } from "./settings.js";

const YAML = readFileSync(new URL("graphql.yaml", import.meta.url), "utf8");

/** @param {Record<string, string>} environment */
export const settingsOf = (environment = {}) => bind(new Binder(YAML, environment));

/** @param {number} number */
export const idOf = (number) => "prd_" + String(number).padStart(26, "0");

/** As product answers it. @param {string} id */
const productMessage = (id) => ({
  productId: id,
  title: `Title of ${id}`,
  description: "",
  status: "PRODUCT_STATUS_ACTIVE",
  vendorId: "",
  createdAt: { seconds: 1_700_000_000, nanos: 123_456_000 },
  updatedAt: { seconds: 1_700_000_000, nanos: 0 },
  variants: ["A", "B"].map((letter) => ({
    variantId: `var_${letter}`,
    sku: `${id}-${letter}`,
    price: 2500,
    currency: "USD",
    fulfillmentType: "FULFILLMENT_TYPE_PHYSICAL",
    status: "VARIANT_STATUS_ACTIVE",
  })),
});

export class FakeParts {
  calls = [];
  /** @type {Record<string, (request: any, caller: any) => any>} */
  answers = {
    BatchGetProducts: ({ productIds }) => ({ products: productIds.filter((id) => id !== idOf(404)).map(productMessage) }),
    ListProducts: ({ pageSize }) => ({ products: [...Array(pageSize).keys()].map((i) => productMessage(idOf(i))), nextPageToken: "more" }),
    SearchProducts: () => ({ products: [productMessage(idOf(1))], nextPageToken: "", total: 1 }),
    ListCategories: () => ({ categories: [{ code: "outdoor", name: "Outdoor", parent: "" }, { code: "tents", name: "Tents", parent: "outdoor" }] }),
    BatchGetStock: ({ productIds }) => ({
      stock: productIds.map((id) => ({
        productId: id,
        sku: `${id}-A`,
        available: 5,
        locations: [{ locationCode: "MAIN", available: 5 }],
      })),
    }),
  };
  cached = new Map();
  queries = new Map();
  services;
  cache;
  persisted;

  constructor() {
    const call = async (method, request, caller) => {
      this.calls.push({ method, request, caller });
      // As a network does, it answers later.
      await new Promise((resolve) => setImmediate(resolve));
      return this.answers[method](request, caller);
    };
    this.services = { product: call, categories: call, inventory: call, close: () => {} };
    this.cache = {
      find: async (part, tenant, ids) => ids.map((id) => this.cached.get(`${part}:${tenant}:${id}`)),
      fill: async (part, tenant, values) => values.forEach((value, id) => this.cached.set(`${part}:${tenant}:${id}`, value)),
    };
    this.persisted = {
      find: async (hash) => this.queries.get(hash),
      put: async (hash, query) => void this.queries.set(hash, query),
    };
  }

  methods() {
    return this.calls.map(({ method }) => method);
  }
}

/** @param {string} text */
export const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A server that is closed at the test's end; what it returns asks it. */
export async function serve(test, parts, environment = {}) {
  const settings = settingsOf({ BV_GRAPHQL_PRODUCTION: "false", ...environment });
  const server = createHttp(settings, /** @type {any} */ (parts), () => true);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const url = `http://127.0.0.1:${port}/graphql`;
  const headers = { "Content-Type": "application/json", "X-Tenant-Id": "acme", "Correlation-Id": "c-1" };
  return {
    url,
    /** @param {string | object} body */
    async post(body, more = {}) {
      const text = JSON.stringify(typeof body === "string" ? { query: body } : body);
      const response = await fetch(url, { method: "POST", headers: { ...headers, ...more }, body: text });
      return { status: response.status, ...(await response.json()) };
    },
    /** @param {Record<string, string>} parameters */
    async get(parameters) {
      const response = await fetch(`${url}?${new URLSearchParams(parameters)}`, { headers });
      return { status: response.status, ...(await response.json()) };
    },
  };
}
