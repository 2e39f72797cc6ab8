//! Refusals as twelve more vendors document them, made from public types only, to the byte.

mod clients;
mod profiles;
mod refusals;
