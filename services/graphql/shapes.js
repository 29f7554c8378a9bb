// From the services' messages to what the schema shows.

// Digits behind the point (ISO 4217); 2 for all others. As libs/base/money.cc has them.
const NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" ");
const THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND".split(" ");

/** @param {string} currency */
export const digitsOf = (currency) => (NO_DIGITS.includes(currency) ? 0 : THREE_DIGITS.includes(currency) ? 3 : 2);

/** @param {number} minorUnits @param {string} currency */
export function moneyOf(minorUnits, currency) {
  const digits = digitsOf(currency);
  const text = String(Math.abs(minorUnits)).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const amount = (minorUnits < 0 ? "-" : "") + whole + (digits > 0 ? "." + text.slice(-digits) : "");
  return { amount, currency };
}

/**
 * The other way round; undefined for what is no amount of the currency.
 * @param {string} amount @param {string} currency
 */
export function minorUnitsOf(amount, currency) {
  const digits = digitsOf(currency);
  const [, whole, fraction] = /^(\d{1,12})(?:\.(\d{1,3}))?$/.exec(amount) ?? [];
  if (whole === undefined || (fraction?.length ?? 0) > digits) return undefined;
  return Number(whole + (fraction ?? "").padEnd(digits, "0"));
}

/** The word behind the name of an enum: PRODUCT_STATUS_ACTIVE → ACTIVE. @param {string} value @param {string} prefix */
const wordOf = (value, prefix) => value.slice(prefix.length);

/** @param {{seconds: number, nanos: number}} time */
function timeOf(time) {
  const micros = String(Math.floor(time.nanos / 1000)).padStart(6, "0");
  return new Date(time.seconds * 1000).toISOString().replace(/\.\d+Z$/, `.${micros}Z`);
}

/** @param {any} product commerce.product.v1.Product */
export function productOf(product) {
  return {
    id: product.productId,
    title: product.title,
    description: product.description,
    status: wordOf(product.status, "PRODUCT_STATUS_"),
    vendorId: product.vendorId || null,
    createdAt: timeOf(product.createdAt),
    updatedAt: timeOf(product.updatedAt),
    variants: product.variants.map((/** @type {any} */ variant) => ({
      id: variant.variantId,
      productId: product.productId,
      sku: variant.sku,
      price: moneyOf(variant.price, variant.currency),
      compareAtPrice: variant.compareAtPrice === undefined ? null : moneyOf(variant.compareAtPrice, variant.currency),
      fulfillmentType: wordOf(variant.fulfillmentType, "FULFILLMENT_TYPE_"),
      status: wordOf(variant.status, "VARIANT_STATUS_"),
    })),
  };
}

/** @param {any} category commerce.product.v1.Category */
export const categoryOf = (category) => ({ code: category.code, name: category.name, parent: category.parent || null });

/** @param {any} answer commerce.product.v1.ListProductsResponse or SearchProductsResponse */
export function pageOf(answer) {
  return { items: answer.products.map(productOf), next: answer.nextPageToken || null };
}

/** @param {any} stock commerce.inventory.v1.StockStatus */
export function stockOf(stock) {
  return {
    available: stock.available,
    inStock: stock.available > 0,
    places: stock.locations.map((/** @type {any} */ location) => ({ place: location.locationCode, available: location.available })),
  };
}
