// The GraphQL service: settings, parts in order, and the end on SIGTERM.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { start } from "./app.js";
import { bind, Binder, SettingsError } from "./settings.js";
import { log } from "./telemetry.js";

const USAGE = "graphql [--config FILE] [--print-config]";

/** Exits with 2 when a flag or a setting is wrong. */
function readSettings() {
  try {
    const { values } = parseArgs({ options: { config: { type: "string" }, "print-config": { type: "boolean" } } });
    const file = values.config ?? fileURLToPath(new URL("graphql.yaml", import.meta.url));
    const binder = new Binder(readFileSync(file, "utf8"), process.env);
    const settings = bind(binder);
    binder.finish();
    if (!values["print-config"]) return settings;
    process.stdout.write(binder.print());
    process.exit(0);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    process.stderr.write(error instanceof SettingsError ? `${message}\n` : `${message}\n${USAGE}\n`);
    process.exit(2);
  }
}

/** @param {Error} error */
function fail(error) {
  log("error", "unexpected end", { error: error.stack });
  process.exit(1);
}

process.on("uncaughtException", fail);
start(readSettings()).catch(fail);
