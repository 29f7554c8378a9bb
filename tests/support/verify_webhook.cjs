// Checks webhooks with the stock libraries that subscribers use. A line of JSON in, {"secret", "headers", "body"}; a line out with what each
// library said: "" when it accepts.
"use strict";

const readline = require("node:readline");
const standard = require("standardwebhooks");
const svix = require("svix");
const stripe = require("stripe");

const verifiers = {
  standardwebhooks: ({ secret, headers, body }) => new standard.Webhook(secret).verify(body, headers),
  svix: ({ secret, headers, body }) => new svix.Webhook(secret).verify(body, headers),
  stripe: ({ secret, headers, body }) => stripe.webhooks.constructEvent(body, headers["x-bv-signature"], secret),
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const said = {};
  for (const [name, verify] of Object.entries(verifiers)) {
    try {
      verify(JSON.parse(line));
      said[name] = "";
    } catch (error) {
      said[name] = error.message;
    }
  }
  process.stdout.write(JSON.stringify(said) + "\n");
});
