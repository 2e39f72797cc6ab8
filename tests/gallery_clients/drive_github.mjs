// GitHub's client: one class of errors. Only its plugins retry: one waits as the limit headers say, and the other
// repeats what may pass the next time.

import { Octokit } from "@octokit/core";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";

import { base, check, keys, useUp } from "./cases.mjs";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const client = (auth, Client = Octokit, options = {}) => new Client({ auth, baseUrl: base, log: quiet, ...options });
const call = (octokit, route) => async () => {
  asked = undefined;
  return (await octokit.request(route, { owner: "octo", repo: "hello" })).status;
};
const READ = "GET /repos/{owner}/{repo}/issues";
const WRITE = "POST /repos/{owner}/{repo}/issues";
const read = key => call(client(key), READ);
const write = key => call(client(key), WRITE);

// Takes the plugin's word for how long to wait, and does not wait.
let asked;
const handlers = {
  onRateLimit: seconds => void (asked = ["primary", seconds]),
  onSecondaryRateLimit: seconds => void (asked = ["secondary", seconds]),
};
const throttled = (key, route) => call(client(key, Octokit.plugin(throttling), { throttle: handlers }), route);
// By default it waits 1, 4 and 9 seconds; here, milliseconds.
const retried = (key, route) => call(client(key, Octokit.plugin(retry), { retry: { retryAfterBaseValue: 1 } }), route);

const describe = ({ name, status, message, response }) => ({
  name,
  status,
  message,
  text: response?.data?.message,
  documentation: response?.data?.documentation_url,
  number: response?.data?.status,
  remaining: response?.headers["x-ratelimit-remaining"],
  resource: response?.headers["x-ratelimit-resource"],
  retryAfter: response?.headers["retry-after"],
  permissions: response?.headers["x-accepted-github-permissions"],
  asked,
});
const REST = "https://docs.github.com/rest";
const of = (status, text, expected) => ({
  error: "RequestError",
  name: "HttpError",
  status,
  text: written => written?.startsWith(text),
  number: String(status),
  message: message => message?.startsWith(text),
  requests: 1,
  ...expected,
});
const BAD = of(401, "Bad credentials", { documentation: REST, remaining: undefined });
const PRIMARY = of(403, "API rate limit exceeded", { remaining: "0", resource: "core", retryAfter: undefined });
const SECONDARY = of(429, "You have exceeded a secondary rate limit", { retryAfter: seconds => Number(seconds) >= 1 });
const waits = kind => pair => pair?.[0] === kind && pair[1] >= 1 && pair[1] <= 62;

await check("read", read(keys.active), describe, { error: null, result: 200, requests: 1 });
await check("write", write(keys.active), describe, { error: null, result: 201, requests: 1 });
await check("missing", read(), describe, of(401, "Requires authentication"));
await check("wrong", read("not-a-token"), describe, BAD);
await check("revoked", read(keys.revoked), describe, BAD);
await check("unlisted", read(keys.unlisted), describe, BAD);
await check("unscoped reads", read(keys.scoped), describe, { error: null, result: 200 });
await check("unscoped", write(keys.scoped), describe,
  of(403, "Resource not accessible by personal access token", { permissions: "issues=write" }));
await useUp(read(keys.tight));
await check("over limit", read(keys.tight), describe, PRIMARY);
await check("over limit, throttled", throttled(keys.tight, READ), describe, { ...PRIMARY, asked: waits("primary") });
await check("over limit, retried", retried(keys.tight, READ), describe, PRIMARY);
await useUp(write(keys.spent), 80);
await check("secondary limit", write(keys.spent), describe, SECONDARY);
await check("secondary limit, retried", retried(keys.spent, WRITE), describe, { ...SECONDARY, requests: 4 });
await check("secondary limit, throttled", throttled(keys.spent, WRITE), describe, { ...SECONDARY, asked: waits("secondary") });
