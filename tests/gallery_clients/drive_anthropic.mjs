// Points Anthropic's client at the gallery: models, and messages.

import Anthropic from "@anthropic-ai/sdk";
import { base, check, keys, useUp } from "./cases.mjs";

const QUESTION = { model: "claude-demo", max_tokens: 16, messages: [{ role: "user", content: "Hello" }] };
const INVALID = { error: "AuthenticationError", status: 401, type: "authentication_error", sameId: true, requests: 1 };
const LIMITED = { error: "RateLimitError", status: 429, type: "rate_limit_error", sameId: true };

const client = (apiKey, options = {}) => new Anthropic({ apiKey, baseURL: base, ...options });
const read = async (key, options) => (await client(key, options).models.list()).data.map(model => model.id);
const write = async key => (await client(key).messages.create(QUESTION)).content[0].text;

const describe = error => ({
  status: error.status,
  type: error.type,
  message: error.apiMessage,
  requestID: error.requestID,
  sameId: error.requestID === error.error.request_id,
});

const wrong = key => key.slice(0, -8) + (key.at(-8) === "0" ? "1" : "0") + key.slice(-7);
// The client refuses to send a request without a key.
const withoutKey = (url, init) => {
  init.headers.delete("authorization");
  return fetch(url, init);
};

await check("read", () => read(keys.active), describe, { error: null, result: ["claude-demo"], requests: 1 });
await check("write", () => write(keys.active), describe, { error: null, result: "Hello.", requests: 1 });
await check("missing", () => read("none", { fetch: withoutKey }), describe, INVALID);
await check("wrong", () => read(wrong(keys.active)), describe, INVALID);
await check("revoked", () => read(keys.revoked), describe, INVALID);
await check("unlisted", () => read(keys.unlisted), describe, INVALID);
await check("unscoped", () => write(keys.scoped), describe, {
  error: "PermissionDeniedError", status: 403, type: "permission_error", sameId: true, requests: 1,
});
await useUp(() => read(keys.tight));
await check("over limit", () => read(keys.tight, { maxRetries: 0 }), describe, { ...LIMITED, requests: 1 });

// The client would wait for the rest of the minute. Other timers are shorter, or longer.
const waits = [];
const { setTimeout } = globalThis;
globalThis.setTimeout = (call, wait, ...rest) => {
  const isTheWait = wait > 50_000 && wait <= 60_000;
  if (isTheWait) waits.push(wait);
  return setTimeout(call, isTheWait ? 0 : wait, ...rest);
};
const limited = async () => {
  try {
    return await read(keys.tight);
  } finally {
    if (waits.length !== 2) throw new Error(`waited: ${waits}`);
  }
};
await check("over limit, retries", limited, describe, { ...LIMITED, requests: 3 });
