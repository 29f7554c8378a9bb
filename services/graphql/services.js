// The gRPC services that answers come from, called by their contracts in protos/.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { metadataOf } from "./caller.js";
import { refusalOfService } from "./errors.js";
import { Counter, logLimited } from "./telemetry.js";

const PROTOS = fileURLToPath(new URL("../../protos", import.meta.url));
// It has google/api and google/protobuf, which ours import.
const GOOGLE = dirname(createRequire(import.meta.url).resolve("protobufjs/package.json"));
// What a hundred products may be: see the contract of BatchGetProducts.
const ANSWER_BYTES_MAX = 16 << 20;
const CHANNEL = {
  "grpc.max_receive_message_length": ANSWER_BYTES_MAX,
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.min_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 1000,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 5000,
  // All that is called here may be repeated: `retriable` in its contract.
  "grpc.service_config": JSON.stringify({
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [
      {
        name: [{}],
        retryPolicy: {
          maxAttempts: 3,
          initialBackoff: "0.02s",
          maxBackoff: "0.5s",
          backoffMultiplier: 2,
          retryableStatusCodes: ["UNAVAILABLE"],
        },
      },
    ],
  }),
};
const INTERNAL_CODES = new Set([grpc.status.INTERNAL, grpc.status.UNKNOWN, grpc.status.DATA_LOSS, grpc.status.UNIMPLEMENTED]);

const calls = Counter("graphql_calls_total", "Calls of services.", ["method", "code"]);

/** @typedef {(method: string, request: object, caller: import("./caller.js").Caller) => Promise<any>} Call */

/**
 * @param {import("./settings.js").Settings} settings
 * @returns {{product: Call, categories: Call, inventory: Call, close: () => void}}
 */
export function connect(settings) {
  const files = ["product", "inventory"].map((name) => join("commerce", name, "v1", "service.proto"));
  const contract = loadSync(files, { includeDirs: [PROTOS, GOOGLE], longs: Number, enums: String, defaults: true, oneofs: true });
  const { commerce } = /** @type {any} */ (grpc.loadPackageDefinition(contract));
  const product = new commerce.product.v1.Products(settings.product.address, grpc.credentials.createInsecure(), CHANNEL);
  const categories = new commerce.product.v1.Categories(settings.product.address, grpc.credentials.createInsecure(), CHANNEL);
  const inventory = new commerce.inventory.v1.Inventory(settings.inventory.address, grpc.credentials.createInsecure(), CHANNEL);
  return {
    product: callerOf(product, settings.peer.timeout),
    categories: callerOf(categories, settings.peer.timeout),
    inventory: callerOf(inventory, settings.peer.timeout),
    close: () => [product, categories, inventory].forEach((client) => client.close()),
  };
}

/** @param {any} client @param {number} timeout @returns {Call} */
function callerOf(client, timeout) {
  return (method, request, caller) =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + timeout;
      client[method](request, metadataOf(caller), { deadline }, (/** @type {any} */ error, /** @type {any} */ answer) => {
        const code = error ? (grpc.status[error.code] ?? "UNKNOWN") : "OK";
        calls.inc({ method, code });
        if (!error) return resolve(answer);
        if (INTERNAL_CODES.has(error.code)) logLimited("error", "a service failed", { method, code, error: error.details }, caller);
        else if (error.code === grpc.status.UNAVAILABLE) logLimited("warn", "a service is away", { method, code }, caller);
        reject(refusalOfService(error));
      });
    });
}
