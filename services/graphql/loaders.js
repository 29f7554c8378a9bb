// One call of a service for all that a request wants of it.
import DataLoader from "dataloader";
import { categoryOf, pageOf, productOf, stockOf } from "./shapes.js";

const BATCH_MAX = 100;
const PRODUCT_ID = /^prd_[0-9a-z]{26}$/;

/** @typedef {ReturnType<typeof createLoaders>} Loaders */

/**
 * Of one request.
 * @param {{services: ReturnType<import("./services.js").connect>, cache: import("./cache.js").Cache}} parts
 * @param {import("./caller.js").Caller} caller
 */
export function createLoaders({ services, cache }, caller) {
  // Stock is asked for when no product is on its way any more, since each may want its own: then one question has them all.
  const onTheirWay = new Set();
  /** @template T @param {Promise<T>} asked @returns {Promise<T>} */
  const awaited = (asked) => {
    const settled = asked.then(() => {}, () => {}).finally(() => onTheirWay.delete(settled));
    onTheirWay.add(settled);
    return asked;
  };
  const whenNoneIsOnItsWay = async () => {
    do {
      await Promise.all(onTheirWay);
      await new Promise((resolve) => setImmediate(resolve));
    } while (onTheirWay.size > 0);
  };

  /**
   * From the cache, and what it lacks by one call.
   * @param {"product" | "stock"} part
   * @param {readonly string[]} ids
   * @param {(ids: string[]) => Promise<Map<string, any>>} ask
   * @param {(value: any) => boolean} isForAll may be shown to whoever asks next
   */
  const through = async (part, ids, ask, isForAll) => {
    const found = await cache.find(part, caller.tenant, ids);
    const missing = ids.filter((_, index) => found[index] === undefined);
    if (missing.length === 0) return found;
    const askedAt = performance.now();
    const asked = await ask(missing);
    const kept = new Map([...asked].filter(([, value]) => isForAll(value)));
    // Nobody waits for it.
    void cache.fill(part, caller.tenant, kept, askedAt);
    return ids.map((id, index) => found[index] ?? asked.get(id));
  };

  const askProducts = async (/** @type {string[]} */ ids) => {
    const answer = await services.product("BatchGetProducts", { productIds: ids }, caller);
    return new Map(answer.products.map((/** @type {any} */ product) => [product.productId, productOf(product)]));
  };
  const askStock = async (/** @type {string[]} */ ids) => {
    const answer = await services.inventory("BatchGetStock", { productIds: ids }, caller);
    const byProduct = new Map(ids.map((id) => [id, /** @type {any} */ ({})]));
    for (const stock of answer.stock) byProduct.get(stock.productId)[stock.sku] = stockOf(stock);
    return byProduct;
  };

  const products = new DataLoader(
    (/** @type {readonly string[]} */ ids) => awaited(through("product", ids, askProducts, (product) => product.status !== "DRAFT")),
    { maxBatchSize: BATCH_MAX },
  );
  const stock = new DataLoader((/** @type {readonly string[]} */ ids) => through("stock", ids, askStock, () => true), {
    maxBatchSize: BATCH_MAX,
    batchScheduleFn: (dispatch) => void whenNoneIsOnItsWay().then(dispatch),
  });

  /** @type {Promise<any[]> | undefined} */
  let tree;
  return {
    /** The tree, asked for once however often a request wants it. */
    categories: () => (tree ??= services.categories("ListCategories", {}, caller).then((answer) => answer.categories.map(categoryOf))),
    /** Null when there is none. @param {string} id */
    product: async (id) => (PRODUCT_ID.test(id) ? ((await products.load(id)) ?? null) : null),
    /** {sku: availability} of a product that there is. @param {string} id */
    stock: (id) => stock.load(id),
    /** @param {"ListProducts" | "SearchProducts"} method @param {object} request */
    page: (method, request) =>
      awaited(
        services.product(method, request, caller).then((answer) => {
          const page = pageOf(answer);
          for (const product of page.items) products.prime(product.id, product);
          return page;
        }),
      ),
  };
}
