// Mailgun's client: one class of errors without headers, and no retries.

import Mailgun from "mailgun.js";

import { base, check, keys, useUp } from "./cases.mjs";

const DOMAIN = "mail.example.com";
const mailgun = new Mailgun(FormData);

const client = (key, options = {}) => mailgun.client({ username: "api", key, url: base, ...options });
const read = key => async () => (await client(key).domains.list()).length;
const write = key => () =>
  client(key).messages
    .create(DOMAIN, { from: `a@${DOMAIN}`, to: "b@example.com", subject: "Hello", text: "Hello" })
    .then(({ status }) => status);
// The client demands a key, so its credential is taken away on the way.
const readWithout = async () => {
  const { fetch } = globalThis;
  globalThis.fetch = (target, options) => {
    const request = new Request(target, options);
    request.headers.delete("authorization");
    return fetch(request);
  };
  try {
    return (await client("none", { useFetch: true }).domains.list()).length;
  } finally {
    globalThis.fetch = fetch;
  }
};

// Its class has a shortened name in the package, so `type` tells it apart.
const describe = ({ type, status, message, details }) => ({ type, status, message, details });
const of = (status, expected) => ({ type: "MailgunAPIError", status, requests: 1, ...expected });
const FORBIDDEN = of(401, { details: "Forbidden" });
const NO_PRIVILEGE = of(403, { details: "This key may not use this endpoint" });
const RATE = of(429, { details: "Too many requests: 3 in 60 seconds are allowed" });
const SPENT = of(420, { details: text => /^Domain is not allowed to send: the limit of 100 recipients/.test(text) });

await check("read", read(keys.active), describe, { error: null, result: 1, requests: 1 });
await check("write", write(keys.active), describe, { error: null, result: 200, requests: 1 });
await check("missing", readWithout, describe, FORBIDDEN);
await check("wrong", read("not-a-key"), describe, FORBIDDEN);
await check("revoked", read(keys.revoked), describe, FORBIDDEN);
await check("unlisted", read(keys.unlisted), describe, FORBIDDEN);
await check("unscoped reads", read(keys.scoped), describe, { error: null, result: 1 });
await check("unscoped", write(keys.scoped), describe, NO_PRIVILEGE);
await useUp(read(keys.tight));
await check("over limit", read(keys.tight), describe, RATE);
await useUp(write(keys.spent), 100);
await check("quota used up", write(keys.spent), describe, SPENT);
