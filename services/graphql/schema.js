// The schema and what answers its fields.
import { readFileSync } from "node:fs";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { GraphQLScalarType, parse } from "graphql";
import { refusal } from "./errors.js";

/** @typedef {{loaders: import("./loaders.js").Loaders}} Context */

const TITLE_MAX = 200;
const PAGE_MAX = 100;
const SKU = /^[A-Za-z0-9._-]{1,64}$/;

/** @param {string} name */
const output = (name) => new GraphQLScalarType({ name, serialize: (value) => value });

/** @param {any} args */
function listRequest({ filter, first, after }) {
  if (first < 1 || first > PAGE_MAX) throw refusal("BAD_USER_INPUT", `first must be 1 to ${PAGE_MAX}`);
  if ((filter?.title?.length ?? 0) > TITLE_MAX) throw refusal("BAD_USER_INPUT", `title has at most ${TITLE_MAX} characters`);
  if (filter?.sku != null && !SKU.test(filter.sku)) throw refusal("BAD_USER_INPUT", "sku is not one that can be");
  return {
    pageSize: first,
    pageToken: after ?? "",
    status: filter?.status ? `PRODUCT_STATUS_${filter.status}` : "PRODUCT_STATUS_UNSPECIFIED",
    title: filter?.title ?? "",
    sku: filter?.sku ?? "",
  };
}

/** @param {any} product */
const inventoryOf = (product) => product && { product };

const resolvers = {
  DateTime: output("DateTime"),
  Decimal: output("Decimal"),
  Count: output("Count"),
  Query: {
    product: (_, { id }, { loaders }) => loaders.product(id),
    products: (_, args, { loaders }) => loaders.page(listRequest(args)),
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
