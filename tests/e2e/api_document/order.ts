// One order from the empty shelf to the paid order, by a client that was made of the API's document alone.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./api.js";

type Order = components["schemas"]["Order"];

declare const process: { env: Record<string, string> };
const { GATEWAY, STAFF_TOKEN, CUSTOMER_TOKEN } = process.env;

function client(token: string) {
  const made = createClient<paths>({ baseUrl: GATEWAY });
  const authorize: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${token}`);
      return request;
    },
  };
  made.use(authorize);
  return made;
}

function must<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const staff = client(STAFF_TOKEN);
const customer = client(CUSTOMER_TOKEN);
const sku = `TS-${crypto.randomUUID().slice(0, 8)}`;
const key = () => ({ "Idempotency-Key": crypto.randomUUID() });

const product = must(
  await staff.POST("/api/v1/products", {
    body: { title: "Ember stove", variants: [{ sku, price: 129.5, currency: "USD", fulfillmentType: "PHYSICAL" }] },
  }),
);
must(
  await staff.POST("/api/v1/inventory/{sku}/adjustments", {
    params: { path: { sku }, header: key() },
    body: { delta: 10, reason: "RECEIVED" },
  }),
);

const cart = must(await customer.POST("/api/v1/carts", { body: {} }));
const filled = must(
  await customer.PUT("/api/v1/carts/{cartId}/items/{sku}", {
    params: { path: { cartId: cart.cartId, sku } },
    body: { qty: 2 },
  }),
);

const header = key();
const order = {
  params: { header },
  body: {
    cartId: cart.cartId,
    paymentMethod: "CARD" as const,
    shippingAddress: { name: "Ada Example", line1: "1 Harbour Street", city: "Portland", countryCode: "US" },
    email: "ada@example.com",
  },
};
const placed: Order = must(await customer.POST("/api/v1/orders", order));
const again = await customer.POST("/api/v1/orders", order);
const params = { path: { orderId: placed.orderId } };
must(await customer.POST("/api/v1/orders/{orderId}/pay", { params, body: {} }));
const read = must(await customer.GET("/api/v1/orders/{orderId}", { params }));
const missing = await customer.GET("/api/v1/orders/{orderId}", { params: { path: { orderId: "ord_00000000000000000000000000" } } });

console.log(
  JSON.stringify({
    productId: product.productId,
    cartTotal: filled.totalAmount,
    placed: placed.status,
    again: [must(again).orderId === placed.orderId, again.response.headers.get("Idempotency-Replayed")],
    read: [read.status, read.paymentStatus, read.totalAmount, read.items.map((item) => [item.sku === sku, item.qty, item.price])],
    missing: [missing.response.status, missing.error?.code],
  }),
);
