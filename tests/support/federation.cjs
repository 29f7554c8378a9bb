// A stock Apollo gateway over our GraphQL service and a subgraph of its own, which knows products by their id only.
// Arguments: URL, tenant. A query a line in, the answer a line out.
"use strict";

const readline = require("node:readline");
const { ApolloGateway, LocalGraphQLDataSource, RemoteGraphQLDataSource } = require("@apollo/gateway");
const { buildSubgraphSchema } = require("@apollo/subgraph");
const { parse } = require("graphql");
const { composeServices } = require("@apollo/composition");

const [url, tenant] = process.argv.slice(2);
const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external"])
  type Query { reviews(of: [ID!]!): [Review!]! }
  type Review { stars: Int! product: Product! }
  type Product @key(fields: "id") { id: ID! reviews: [Review!]! }
`);
const reviewOf = (id) => ({ stars: 5, product: { __typename: "Product", id } });
const reviews = buildSubgraphSchema({
  typeDefs,
  resolvers: {
    Query: { reviews: (_, { of }) => of.map(reviewOf) },
    Product: { __resolveReference: ({ id }) => ({ id }), reviews: ({ id }) => [reviewOf(id)] },
  },
});

class Remote extends RemoteGraphQLDataSource {
  willSendRequest({ request }) {
    request.http.headers.set("x-tenant-id", tenant);
  }
}

async function main() {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Tenant-Id": tenant },
    body: JSON.stringify({ query: "{_service {sdl}}" }),
  });
  const { data } = await response.json();
  const local = new LocalGraphQLDataSource(reviews);
  const { supergraphSdl, errors } = composeServices([
    { name: "shop", url, typeDefs: parse(data._service.sdl) },
    { name: "reviews", url: "http://reviews.invalid", typeDefs },
  ]);
  if (errors?.length) throw new Error(errors.map((error) => error.message).join("; "));
  const gateway = new ApolloGateway({
    supergraphSdl,
    logger: { debug() {}, info() {}, warn() {}, error: console.error },
    buildService: ({ name }) => (name === "reviews" ? local : new Remote({ url })),
  });
  const { executor } = await gateway.load();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { query, variables = {} } = JSON.parse(line);
    const answer = await executor({
      document: parse(query),
      request: { query, variables, http: { headers: new Map() } },
      operationName: null,
      queryHash: query,
      context: {},
      cache: { get: async () => undefined, set: async () => {} },
      schema: reviews,
    });
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
  await gateway.stop();
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
