// SendGrid's client: one class of errors, whose `code` is the status, and no retries.

import client from "@sendgrid/client";

import { base, check, keys, useUp } from "./cases.mjs";

const { Client } = client;

const to = key => {
  const made = new Client();
  if (key) made.setApiKey(key);
  // After the key, which sets the vendor's own.
  made.setDefaultRequest("baseUrl", `${base}/`);
  return made;
};
const send = (key, request) => async () => (await to(key).request(request))[0].statusCode;
const read = key => send(key, { method: "GET", url: "/v3/templates" });
const write = key =>
  send(key, {
    method: "POST",
    url: "/v3/mail/send",
    body: {
      personalizations: [{ to: [{ email: "b@example.com" }] }],
      from: { email: "a@example.com" },
      subject: "Hello",
      content: [{ type: "text/plain", value: "Hello" }],
    },
  });

const describe = ({ code, message, response }) => ({
  code,
  message,
  errors: response.body.errors,
  remaining: response.headers["x-ratelimit-remaining"],
  reset: response.headers["x-ratelimit-reset"],
});
const of = (code, message, expected) => ({
  error: "ResponseError",
  code,
  errors: [{ field: null, message }],
  requests: 1,
  ...expected,
});
const isSoon = reset => Math.abs(Number(reset) - Date.now() / 1000 - 30) < 32;

// The client warns of a key without the prefix on the console, where this driver writes its lines.
console.warn = () => {};
const NOT_A_KEY = of(401, "Permission denied, wrong credentials");
const NO_GRANT = of(401, "The provided authorization grant is invalid, expired, or revoked");
const FULL = { field: null, help: null };

await check("read", read(keys.active), describe, { error: null, result: 200, requests: 1 });
await check("write", write(keys.active), describe, { error: null, result: 202, requests: 1 });
await check("missing", read(), describe, NOT_A_KEY);
await check("wrong", read("SENDGRID_API_KEY"), describe, NOT_A_KEY);
await check("revoked", read(keys.revoked), describe, NO_GRANT);
await check("unlisted", read(keys.unlisted), describe, NO_GRANT);
await check("unscoped reads", read(keys.scoped), describe, { error: null, result: 200 });
await check("unscoped", write(keys.scoped), describe, of(403, "", { errors: [{ message: "Access forbidden", ...FULL }] }));
await useUp(read(keys.tight));
await check("over limit", read(keys.tight), describe, of(429, "Too many requests", { remaining: "0", reset: isSoon }));
await useUp(write(keys.spent), 100);
await check("credits used up", write(keys.spent), describe, {
  ...of(401, "", { errors: [{ message: "Maximum credits exceeded", ...FULL }] }),
  remaining: undefined,
});
