// Runs the cases of a driver. Prints one line of JSON for each, and compares it with the driver's table.
//
// A driver is a program that points a vendor's official client at the gallery: `node drive_VENDOR.mjs ENTRY`. ENTRY is JSON
// with `vendor`, `base` (the URL to give the client) and `keys`, by label. Node takes the certificate to trust from the
// variable NODE_EXTRA_CA_CERTS.

import { subscribe } from "node:diagnostics_channel";
import { isDeepStrictEqual } from "node:util";

/** What the demo limits the key `tight` to, a minute. */
export const TIGHT = 3;

const entry = JSON.parse(process.argv[2]);
export const { base, keys } = entry;

let requests = 0;
// Of the modules `http` and `https`, and of `fetch`. Each retry counts.
subscribe("http.client.request.start", () => (requests += 1));
subscribe("undici:request:create", () => (requests += 1));

/**
 * Runs a case. `describe` returns the typed fields of the client's error. Each expected field is a value, or a function
 * that returns true for the right ones.
 */
export async function check(name, call, describe, expected) {
  requests = 0;
  const outcome = { vendor: entry.vendor, case: name };
  try {
    Object.assign(outcome, { error: null, result: await call() });
  } catch (error) {
    Object.assign(outcome, { error: error.constructor.name, ...describe(error) });
  }
  outcome.requests = requests;
  const fits = ([field, value]) =>
    typeof value === "function" ? value(outcome[field]) : isDeepStrictEqual(outcome[field], value);
  const wrong = Object.entries(expected).filter(pair => !fits(pair)).map(([field]) => field);
  if (wrong.length > 0) {
    outcome.wrong = wrong;
    process.exitCode = 1;
  }
  console.log(JSON.stringify(outcome));
}

/** Spends a quota; by default what the key `tight` has for a minute. */
export async function useUp(call, count = TIGHT) {
  for (let request = 0; request < count; request += 1) await call();
}
