import assert from "node:assert/strict";
import test from "node:test";
import { getIntrospectionQuery } from "graphql";
import { refusalOfService } from "./errors.js";
import { FakeParts, idOf, serve, sha256 } from "./parts_test_support.js";

const codes = (answer) => (answer.errors ?? []).map((error) => error.extensions.code);

test("a product with prices and availability is one call of each service", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  const answer = await shop.post(`{product(id: "${idOf(1)}") {
    id title createdAt variants {sku price {amount currency} compareAtPrice {amount} availability {inStock available places {place}}}}}`);
  assert.equal(answer.errors, undefined);
  const { product } = answer.data;
  assert.equal(product.createdAt, "2023-11-14T22:13:20.123456Z");
  assert.deepEqual(product.variants[0].price, { amount: "25.00", currency: "USD" });
  assert.deepEqual(product.variants[0].availability, { inStock: true, available: 5, places: [{ place: "MAIN" }] });
  assert.equal(product.variants[1].availability, null);
  assert.deepEqual(parts.methods(), ["BatchGetProducts", "BatchGetStock"]);
  const { caller } = parts.calls[0];
  assert.equal(caller.tenant, "acme");
  assert.equal(caller.correlationId, "c-1");
});

test("many fields of many products are one call of each method", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  const answer = await shop.post(`{
    a: product(id: "${idOf(70)}") {variants {availability {available}} inventory {inStock}}
    b: product(id: "${idOf(71)}") {inventory {variants {availability {inStock}}}}
    c: productInventory(id: "${idOf(72)}") {inStock variants {sku availability {available}}}
    products(first: 50) {next items {inventory {inStock} variants {availability {available}}}}
    _entities(representations: [{__typename: "Product", id: "${idOf(73)}"}]) {... on Product {title inventory {inStock}}}}`);
  assert.deepEqual(codes(answer), []);
  assert.equal(answer.data.products.items.length, 50);
  assert.equal(answer.data._entities[0].title, `Title of ${idOf(73)}`);
  assert.deepEqual(parts.methods().sort(), ["BatchGetProducts", "BatchGetStock", "ListProducts"]);
  assert.equal(parts.calls.find(({ method }) => method === "BatchGetStock").request.productIds.length, 54);
});

test("products by text, category and price are searched for", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  const answer = await shop.post(`{
    products(first: 5, filter: {text: "red te", category: "tents", price: {currency: "USD", min: "9.99", max: 20}}) {next items {id inventory {inStock}}}
    categories {code name parent} again: categories {code}}`);
  assert.deepEqual(codes(answer), []);
  assert.deepEqual(answer.data.products, { next: null, items: [{ id: idOf(1), inventory: { inStock: true } }] });
  assert.deepEqual(answer.data.categories[1], { code: "tents", name: "Tents", parent: "outdoor" });
  assert.equal(answer.data.categories[0].parent, null);
  assert.deepEqual(parts.methods().sort(), ["BatchGetStock", "ListCategories", "SearchProducts"]);
  assert.deepEqual(parts.calls.find(({ method }) => method === "SearchProducts").request, {
    pageSize: 5, pageToken: "", q: "red te", category: "tents", currency: "USD", minPrice: 999, maxPrice: 2000,
  });
});

test("what cannot be searched for is refused", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  for (const filter of [
    '{text: "a", title: "b"}', '{category: "a", status: ACTIVE}', `{text: "${"x".repeat(201)}"}`, '{price: {currency: "usd"}}',
    '{price: {currency: "USD", min: "9.999"}}', '{price: {currency: "JPY", min: "1.5"}}', '{price: {currency: "USD", max: "-1"}}',
    '{price: {currency: "USD", max: "1e3"}}',
  ])
    assert.deepEqual(codes(await shop.post(`{products(filter: ${filter}) {next}}`)), ["BAD_USER_INPUT"], filter);
  assert.deepEqual(codes(await shop.post('{products(filter: {price: {currency: "USD", max: [1]}}) {next}}')).length, 1);
  assert.deepEqual(parts.calls, []);
});

test("what there is not is null", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  const answer = await shop.post(`{product(id: "${idOf(404)}") {id} productInventory(id: "${idOf(404)}") {inStock} other: product(id: "x'; --") {id}}`);
  assert.deepEqual(answer.data, { product: null, productInventory: null, other: null });
  assert.deepEqual(parts.methods(), ["BatchGetProducts"]);
});

test("what is in the cache is not asked for, and drafts are not put there", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  const query = `{product(id: "${idOf(1)}") {status variants {availability {available}}}}`;
  await shop.post(query);
  await shop.post(query);
  assert.deepEqual(parts.methods(), ["BatchGetProducts", "BatchGetStock"]);
  assert.deepEqual([...parts.cached.keys()], [`product:acme:${idOf(1)}`, `stock:acme:${idOf(1)}`]);
  const { BatchGetProducts } = parts.answers;
  parts.answers.BatchGetProducts = (request, caller) => {
    const answer = BatchGetProducts(request, caller);
    answer.products[0].status = "PRODUCT_STATUS_DRAFT";
    return answer;
  };
  const draft = await shop.post(`{product(id: "${idOf(2)}") {status}}`);
  assert.equal(draft.data.product.status, "DRAFT");
  assert.equal(parts.cached.size, 2);
});

test("a list asks as its arguments say", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  await shop.post('{products(filter: {status: ACTIVE, title: "tent", sku: "T-1"}, first: 3, after: "here") {next}}');
  assert.deepEqual(parts.calls[0].request, { pageSize: 3, pageToken: "here", status: "PRODUCT_STATUS_ACTIVE", title: "tent", sku: "T-1" });
  for (const args of ["first: 0", "first: 101", `filter: {title: "${"x".repeat(201)}"}`, 'filter: {sku: "a b"}'])
    assert.match(codes(await shop.post(`{products(${args}) {next}}`))[0], /^(BAD_USER_INPUT|TOO_MANY_PRODUCTS)$/, args);
  assert.equal(parts.calls.length, 1);
});

test("errors of services have codes and nothing of theirs", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  const ask = async () => (await shop.post(`{product(id: "${idOf(1)}") {id}}`, { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` })).errors[0];
  for (const [code, shown] of [[16, "UNAUTHENTICATED"], [7, "FORBIDDEN"], [8, "OVERLOADED"], [14, "SERVICE_UNAVAILABLE"], [4, "TIMEOUT"], [13, "INTERNAL_SERVER_ERROR"]]) {
    parts.answers.BatchGetProducts = () => {
      throw refusalOfService({ code: Number(code) });
    };
    const error = await ask();
    assert.equal(error.extensions.code, shown);
    assert.equal(error.extensions.traceId, "a".repeat(32));
    assert.deepEqual(error.path, ["product"]);
  }
  parts.answers.BatchGetProducts = () => {
    throw new TypeError("relation product_price_history of 10.0.0.1");
  };
  const error = await ask();
  assert.equal(error.extensions.code, "INTERNAL_SERVER_ERROR");
  assert.doesNotMatch(JSON.stringify(error), /relation|history|10\.0/);
});

test("a service that fails takes only its own fields away", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  parts.answers.BatchGetStock = () => {
    throw refusalOfService({ code: 14 });
  };
  const answer = await shop.post(`{product(id: "${idOf(1)}") {title variants {sku availability {available}}}}`);
  assert.equal(answer.data.product.variants[0].availability, null);
  assert.equal(answer.data.product.title, `Title of ${idOf(1)}`);
  assert.deepEqual(new Set(codes(answer)), new Set(["SERVICE_UNAVAILABLE"]));
});

test("what is no query, or several at once, is refused", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  assert.equal((await shop.post([{ query: "{__typename}" }, { query: "{__typename}" }])).status, 400);
  assert.deepEqual(codes(await shop.post("{product(id: ")), ["GRAPHQL_PARSE_FAILED"]);
  assert.deepEqual(codes(await shop.post("{nonsense}")), ["GRAPHQL_VALIDATION_FAILED"]);
  assert.deepEqual(codes(await shop.post({ query: "query($id: ID!) {product(id: $id) {id}}", variables: { id: null } })), ["BAD_USER_INPUT"]);
  assert.deepEqual(codes(await shop.post({})), ["BAD_REQUEST"]);
  assert.equal((await shop.post({}, { Accept: "application/graphql-response+json" })).status, 400);
  const put = await fetch(shop.url, { method: "PUT", body: "{}" });
  assert.equal(put.status, 405);
  const large = await fetch(shop.url, { method: "POST", headers: { "Content-Type": "application/json" }, body: "x".repeat(70_000) });
  assert.equal(large.status, 413);
  assert.equal((await large.json()).errors[0].extensions.code, "BODY_TOO_LARGE");
  assert.equal((await fetch(shop.url.replace("/graphql", "/metrics"))).status, 404);
  assert.deepEqual(parts.calls, []);
});

test("a bomb is refused before anything is asked", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  const fragments = [...Array(30).keys()].map((i) => `fragment f${i} on Product {...f${i + 1} ...f${i + 1}}`).join(" ");
  for (const [code, query] of [
    ["QUERY_TOO_DEEP", `{product(id: "${idOf(1)}") {${"inventory {product {".repeat(10)} id ${"}}".repeat(10)}}}`],
    ["TOO_MANY_ALIASES", `{${[...Array(30).keys()].map((i) => `a${i}: __typename`).join(" ")}}`],
    ["TOO_MANY_DIRECTIVES", `{__typename ${"@skip(if: false) ".repeat(30)}}`],
    ["TOO_MANY_ALIASES", `{product(id: "${idOf(1)}") {...f0}} ${fragments} fragment f30 on Product {a: id}`],
    ["TOO_MANY_PRODUCTS", `{products(first: 100) {next} product(id: "${idOf(1)}") {id}}`],
    ["TOO_MANY_LISTS", "{products(first: 2) {next} b: products(first: 3) {next}}"],
    ["QUERY_TOO_COSTLY", `{products(first: 100) {items {${[...Array(20).keys()].map((i) => `a${i}: variants {id sku}`).join(" ")}}}}`],
    ["QUERY_TOO_COSTLY", `{${[...Array(7).keys()].map((i) => `a${i}: categories {code name parent}`).join(" ")}}`],
    ["GRAPHQL_PARSE_FAILED", `{${"__typename ".repeat(2000)}}`],
    ["GRAPHQL_VALIDATION_FAILED", "{...a} fragment a on Query {...b} fragment b on Query {...a}"],
  ]) {
    const start = performance.now();
    assert.deepEqual(codes(await shop.post(query)).slice(0, 1), [code]);
    assert.ok(performance.now() - start < 500, code);
  }
  assert.deepEqual(parts.calls, []);
});

test("a variable counts as what it is", async (t) => {
  const shop = await serve(t, new FakeParts());
  const query = "query($n: Int! = 90) {products(first: $n) {next} product(id: \"x\") {id}}";
  assert.deepEqual(codes(await shop.post({ query, variables: { n: 100 } })), ["TOO_MANY_PRODUCTS"]);
  assert.deepEqual(codes(await shop.post({ query })), []);
});

test("a persisted query is known by its hash once it was sent and proved valid", async (t) => {
  const parts = new FakeParts();
  const shop = await serve(t, parts);
  const query = "query($id: ID!) {product(id: $id) {title}}";
  const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(query) } };
  const variables = { id: idOf(1) };
  const unknown = await shop.post({ extensions, variables });
  assert.deepEqual([unknown.status, unknown.errors[0].message, codes(unknown)], [200, "PersistedQueryNotFound", ["PERSISTED_QUERY_NOT_FOUND"]]);
  assert.equal((await shop.post({ query, extensions, variables })).data.product.title, `Title of ${idOf(1)}`);
  const asked = { extensions: JSON.stringify(extensions), variables: JSON.stringify(variables) };
  assert.equal((await shop.get(asked)).data.product.title, `Title of ${idOf(1)}`);
  assert.equal((await shop.post({ extensions, variables })).data.product.title, `Title of ${idOf(1)}`);

  const other = { persistedQuery: { version: 1, sha256Hash: sha256("{other}") } };
  assert.deepEqual(codes(await shop.post({ query, extensions: other, variables })), ["PERSISTED_QUERY_INVALID"]);
  await shop.post({ query: "{other}", extensions: other });
  assert.deepEqual([...parts.queries.values()], [query]);
  assert.deepEqual(codes(await shop.get({ query: "{__typename}" })), ["PERSISTED_QUERY_REQUIRED"]);
});

test("production shows neither schema nor names", async (t) => {
  const shop = await serve(t, new FakeParts(), { BV_GRAPHQL_PRODUCTION: "true" });
  for (const query of ["{__schema {types {name}}}", '{__type(name: "Product") {name}}', "{_service {sdl}}", "{...a} fragment a on Query {__schema {description}}"])
    assert.deepEqual(codes(await shop.post(query)), ["INTROSPECTION_OFF"], query);
  const hint = await shop.post("{produkt(id: 1) {id}}");
  assert.doesNotMatch(JSON.stringify(hint), /Did you mean/);
  assert.equal((await shop.post("{__typename}")).data.__typename, "Query");
  const open = await serve(t, new FakeParts());
  assert.deepEqual(codes(await open.post(getIntrospectionQuery())), []);
  assert.match((await open.post("{_service {sdl}}")).data._service.sdl, /type Product/);
  assert.match(JSON.stringify(await open.post("{produkt(id: 1) {id}}")), /Did you mean/);
});
