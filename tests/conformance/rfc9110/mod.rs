//! RFC 9110: HTTP semantics. Of fields (§5), targets (§4, §7), methods and expectations (§9, §10),
//! and authentication (§11, §15.5).

mod authentication;
mod fields;
mod methods;
mod targets;
