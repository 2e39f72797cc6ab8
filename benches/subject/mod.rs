//! What is measured: keys, requests, and gates around a service that does nothing. Each bench uses its own part.

#![allow(dead_code, unused_imports)]

mod agreement;
mod clock;
mod gates;
mod hand_written;
mod keys;
mod limit_template;
mod requests;
mod routers;
mod service;
mod straight;
mod straight_routes;

pub(crate) use agreement::assert_agreement;
pub(crate) use clock::Fast;
pub(crate) use gates::{
    BARE, BEARER_ONLY, Extras, GRPC_SERVICE, Gate, PROFILE, ROOMY, builder, gate, gate_on, guarded,
    routes,
};
pub(crate) use hand_written::by_hand;
pub(crate) use keys::{FORMAT, HOT, KEYS_PER_ACCOUNT, Keys, account, key};
pub(crate) use requests::{Authorize, basic, bearer, call_of_grpc, request};
pub(crate) use routers::{InRouter, gated, open};
pub(crate) use service::{Nothing, Served, answer_now, call, free_served, nothing, serve, timed};
pub(crate) use straight::{Left, Straight};
