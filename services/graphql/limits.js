// What a query may cost, measured on its text before it is validated: linear in its length, whatever fragments make of it.
import { Kind } from "graphql";
import { refusal } from "./errors.js";

// How many of them a product has, as the cost counts.
const VARIANTS = 10;
// How many there may be at most.
const CATEGORIES = 1000;
const INTROSPECTION_DEPTH_MAX = 16;
const INTROSPECTION = new Set(["__schema", "__type"]);
// Federation's way to the same.
const SCHEMA = "_service";

/** @typedef {{depth: number, aliases: number, directives: number, cost: number, products: number, lists: number}} Measure */

/** @type {Measure} */
const NOTHING = Object.freeze({ depth: 0, aliases: 0, directives: 0, cost: 0, products: 0, lists: 0 });

/** @param {Measure} a @param {Measure} b @returns {Measure} */
const together = (a, b) => ({
  depth: Math.max(a.depth, b.depth),
  aliases: a.aliases + b.aliases,
  directives: a.directives + b.directives,
  cost: a.cost + b.cost,
  products: a.products + b.products,
  lists: a.lists + b.lists,
});

class Meter {
  #fragments;
  #measured = new Map();
  #operation;
  #variables;
  introspects = false;

  /**
   * @param {import("graphql").DocumentNode} document
   * @param {import("graphql").OperationDefinitionNode} operation
   * @param {Record<string, any>} variables
   */
  constructor(document, operation, variables) {
    this.#fragments = new Map(
      document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
    );
    this.#operation = operation;
    this.#variables = variables ?? {};
  }

  /** @param {import("graphql").SelectionSetNode | undefined} set @returns {Measure} */
  ofSet(set) {
    let sum = NOTHING;
    for (const selection of set?.selections ?? []) {
      sum = together(sum, { ...NOTHING, directives: selection.directives?.length ?? 0 });
      if (selection.kind === Kind.FIELD) sum = together(sum, this.#ofField(selection));
      else if (selection.kind === Kind.INLINE_FRAGMENT) sum = together(sum, this.ofSet(selection.selectionSet));
      else sum = together(sum, this.#ofFragment(selection.name.value));
    }
    return sum;
  }

  /** @param {string} name @returns {Measure} */
  #ofFragment(name) {
    if (!this.#measured.has(name)) {
      // A fragment in itself is refused by the validation; here it must only come to an end.
      this.#measured.set(name, NOTHING);
      this.#measured.set(name, this.ofSet(this.#fragments.get(name)?.selectionSet));
    }
    return this.#measured.get(name);
  }

  /** @param {import("graphql").FieldNode} field @returns {Measure} */
  #ofField(field) {
    const name = field.name.value;
    const inner = this.ofSet(field.selectionSet);
    if (INTROSPECTION.has(name) || name === SCHEMA) this.introspects = true;
    const allowance = INTROSPECTION.has(name) ? INTROSPECTION_DEPTH_MAX : 0;
    const products = this.#productsOf(field);
    const times = products > 0 ? products : name === "variants" ? VARIANTS : name === "categories" ? CATEGORIES : 1;
    return {
      depth: 1 + Math.max(0, inner.depth - allowance),
      aliases: inner.aliases + (field.alias ? 1 : 0),
      directives: inner.directives,
      cost: 1 + times * inner.cost,
      products: products + inner.products,
      lists: inner.lists + (name === "products" ? 1 : 0),
    };
  }

  /** How many products a field names or lists. @param {import("graphql").FieldNode} field */
  #productsOf(field) {
    const argument = (/** @type {string} */ name) => field.arguments?.find((node) => node.name.value === name)?.value;
    switch (field.name.value) {
      case "product":
      case "productInventory":
        // Without an argument it is the product of an inventory.
        return argument("id") ? 1 : 0;
      case "products":
        return this.#numberOf(argument("first"), 20);
      case "_entities":
        return this.#lengthOf(argument("representations"));
      default:
        return 0;
    }
  }

  /** @param {import("graphql").ValueNode | undefined} node @param {number} usual */
  #numberOf(node, usual) {
    if (!node) return usual;
    const value = node.kind === Kind.INT ? Number(node.value) : node.kind === Kind.VARIABLE ? this.#variable(node.name.value) : NaN;
    // What is no number or out of its bounds is refused where it is read.
    return Number.isInteger(value) ? Math.max(1, value) : usual;
  }

  /** @param {import("graphql").ValueNode | undefined} node */
  #lengthOf(node) {
    const value = node?.kind === Kind.LIST ? node.values : node?.kind === Kind.VARIABLE ? this.#variable(node.name.value) : [];
    return Array.isArray(value) ? Math.max(1, value.length) : 1;
  }

  /** @param {string} name */
  #variable(name) {
    if (this.#variables[name] !== undefined) return this.#variables[name];
    const node = this.#operation.variableDefinitions?.find((each) => each.variable.name.value === name)?.defaultValue;
    return node?.kind === Kind.INT ? Number(node.value) : undefined;
  }
}

/**
 * The most of any operation, since the one that runs is chosen later.
 * @param {import("graphql").DocumentNode} document
 * @param {Record<string, any>} variables
 */
export function measure(document, variables) {
  let found = /** @type {Measure & {introspects: boolean}} */ ({ ...NOTHING, introspects: false });
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    const meter = new Meter(document, node, variables);
    const own = meter.ofSet(node.selectionSet);
    const directives = own.directives + (node.directives?.length ?? 0);
    found = {
      depth: Math.max(found.depth, own.depth),
      aliases: Math.max(found.aliases, own.aliases),
      directives: Math.max(found.directives, directives),
      cost: Math.max(found.cost, own.cost),
      products: Math.max(found.products, own.products),
      lists: Math.max(found.lists, own.lists),
      introspects: found.introspects || meter.introspects,
    };
  }
  return found;
}

/**
 * Throws what is too much.
 * @param {import("graphql").DocumentNode} document
 * @param {Record<string, any>} variables
 * @param {import("./settings.js").Settings["graphql"]} limits
 */
export function checkLimits(document, variables, limits) {
  const found = measure(document, variables);
  if (limits.production && found.introspects) throw refusal("INTROSPECTION_OFF", "introspection is off");
  const checks = /** @type {const} */ ([
    [found.depth, limits.depthMax, "QUERY_TOO_DEEP", "fields inside each other"],
    [found.aliases, limits.aliasesMax, "TOO_MANY_ALIASES", "aliases"],
    [found.directives, limits.directivesMax, "TOO_MANY_DIRECTIVES", "directives"],
    [found.lists, 1, "TOO_MANY_LISTS", "field `products`"],
    [found.products, limits.productsMax, "TOO_MANY_PRODUCTS", "products"],
    [found.cost, limits.costMax, "QUERY_TOO_COSTLY", "as its cost"],
  ]);
  for (const [value, max, code, what] of checks) {
    if (value > max) throw refusal(code, `a request has at most ${max} ${what}`);
  }
}
