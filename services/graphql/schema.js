// The schema and what answers its fields.
import { readFileSync } from "node:fs";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { GraphQLScalarType, parse } from "graphql";
import { refusal } from "./errors.js";
import { minorUnitsOf } from "./shapes.js";

/** @typedef {{loaders: import("./loaders.js").Loaders}} Context */

const TITLE_MAX = 200;
const PAGE_MAX = 100;
const TEXT_MAX = 200;
const CURRENCY = /^[A-Z]{3}$/;
const SKU = /^[A-Za-z0-9._-]{1,64}$/;

/** @param {string} name */
const output = (name) => new GraphQLScalarType({ name, serialize: (value) => value });

/** By what the search finds, and by what the list does; not both. */
const SEARCHED = ["text", "category", "price"];
const LISTED = ["status", "title", "sku"];

/**
 * The call that answers, and its request.
 * @param {any} args
 * @returns {["ListProducts" | "SearchProducts", object]}
 */
function pageRequest({ filter, first, after }) {
  const has = (/** @type {string} */ name) => filter?.[name] != null;
  if (first < 1 || first > PAGE_MAX) throw refusal("BAD_USER_INPUT", `first must be 1 to ${PAGE_MAX}`);
  const page = { pageSize: first, pageToken: after ?? "" };
  if (!SEARCHED.some(has)) return ["ListProducts", { ...page, ...listed(filter) }];
  if (LISTED.some(has)) throw refusal("BAD_USER_INPUT", `${SEARCHED.join(", ")} go with none of ${LISTED.join(", ")}`);
  return ["SearchProducts", { ...page, ...searched(filter) }];
}

/** @param {any} filter */
function listed(filter) {
  if ((filter?.title?.length ?? 0) > TITLE_MAX) throw refusal("BAD_USER_INPUT", `title has at most ${TITLE_MAX} characters`);
  if (filter?.sku != null && !SKU.test(filter.sku)) throw refusal("BAD_USER_INPUT", "sku is not one that can be");
  return {
    status: filter?.status ? `PRODUCT_STATUS_${filter.status}` : "PRODUCT_STATUS_UNSPECIFIED",
    title: filter?.title ?? "",
    sku: filter?.sku ?? "",
  };
}

/** @param {any} filter */
function searched({ text, category, price }) {
  if ((text?.length ?? 0) > TEXT_MAX) throw refusal("BAD_USER_INPUT", `text has at most ${TEXT_MAX} characters`);
  return { q: text ?? "", category: category ?? "", ...(price && priceRange(price)) };
}

/** @param {{currency: string, min?: string | null, max?: string | null}} range */
function priceRange({ currency, min, max }) {
  if (!CURRENCY.test(currency)) throw refusal("BAD_USER_INPUT", "currency is three letters A-Z");
  const [minPrice, maxPrice] = [min, max].map((amount) => {
    const units = amount == null ? null : minorUnitsOf(amount, currency);
    if (units === undefined) throw refusal("BAD_USER_INPUT", `${amount} is no amount of ${currency}`);
    return units;
  });
  return { currency, ...(minPrice !== null && { minPrice }), ...(maxPrice !== null && { maxPrice }) };
}

/** @param {any} product */
const inventoryOf = (product) => product && { product };

/** As it is written, also as a number. @param {unknown} value */
function decimal(value) {
  if (typeof value !== "string" && typeof value !== "number") throw refusal("BAD_USER_INPUT", "an amount is a decimal number");
  return String(value);
}

const resolvers = {
  DateTime: output("DateTime"),
  Decimal: new GraphQLScalarType({ name: "Decimal", serialize: (value) => value, parseValue: decimal, parseLiteral: (node) => decimal("value" in node ? node.value : null) }),
  Count: output("Count"),
  Query: {
    product: (_, { id }, { loaders }) => loaders.product(id),
    products: (_, args, { loaders }) => loaders.page(...pageRequest(args)),
    categories: (_, __, { loaders }) => loaders.categories(),
    productInventory: async (_, { id }, { loaders }) => inventoryOf(await loaders.product(id)),
  },
  Product: {
    __resolveReference: ({ id }, { loaders }) => loaders.product(String(id)),
    inventory: inventoryOf,
  },
  ProductInventory: {
    inStock: async ({ product }, _, { loaders }) => {
      const stock = await loaders.stock(product.id);
      return Object.values(stock).some((/** @type {any} */ availability) => availability.inStock);
    },
    variants: ({ product }) => product.variants,
  },
  Variant: {
    availability: async ({ productId, sku }, _, { loaders }) => (await loaders.stock(productId))[sku] ?? null,
  },
};

export const SDL = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");

/** @returns {import("graphql").GraphQLSchema} */
export const createSchema = () => buildSubgraphSchema({ typeDefs: parse(SDL), resolvers: /** @type {any} */ (resolvers) });
