// Redis holds copies here and never the truth: a Redis that is away, slow or full is a key that is not there.
import { createClient } from "@redis/client";
import { Counter, logLimited } from "./telemetry.js";

const QUEUE_MAX = 4096;

const requests = Counter("graphql_redis_requests_total", "Requests to Redis.", ["outcome"]);

export class Redis {
  #client;
  #settings;
  #awayUntil = 0;

  /** Connects in the background. @param {import("./settings.js").Settings["redis"]} settings */
  constructor(settings) {
    this.#settings = settings;
    this.#client = createClient({
      url: settings.url,
      password: settings.password || undefined,
      disableOfflineQueue: true,
      commandsQueueMaxLength: QUEUE_MAX,
      socket: { connectTimeout: settings.connectTimeout, reconnectStrategy: () => settings.retryAfter },
    });
    this.#client.on("error", (error) => logLimited("warn", "Redis is away", { error: error.message }));
    this.#client.connect().catch(() => {});
  }

  /**
   * The answer, or undefined: Redis is away, or was a moment ago.
   * @template T
   * @param {(client: any) => Promise<T>} ask
   * @returns {Promise<T | undefined>}
   */
  async ask(ask) {
    if (!this.#client.isReady || performance.now() < this.#awayUntil) {
      requests.inc({ outcome: "refused" });
      return undefined;
    }
    let timer;
    try {
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error("no answer in time")), this.#settings.timeout);
      });
      const answer = await Promise.race([ask(this.#client), late]);
      requests.inc({ outcome: "answered" });
      return /** @type {T} */ (answer);
    } catch (error) {
      requests.inc({ outcome: "failed" });
      this.#awayUntil = performance.now() + this.#settings.retryAfter;
      logLimited("warn", "Redis did not answer", { error: /** @type {Error} */ (error).message });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  close() {
    this.#client.destroy();
  }
}
