//! Refusals with a status of the server's own, for Envoy.
//!
//! Envoy takes an answer of 5xx for a failure of the checker, and drops its headers and body. So the checker states
//! such a refusal as one of 4xx, and `local_reply_config` of `proxies/envoy.yaml` changes the status back.

use http::{Response, StatusCode};

/// The statuses of refusals, each with the one that stands for it.
const STATED: [(u16, u16); 5] = [(500, 470), (502, 472), (503, 473), (504, 474), (529, 499)];

/// States a refusal so that Envoy passes it on. One of another 5xx status reaches the client as an empty 503.
pub(crate) fn state<B>(refusal: &mut Response<B>) {
    let status = refusal.status().as_u16();
    let stated = STATED.iter().find(|(own, _)| *own == status);
    if let Some(stated) = stated.and_then(|(_, stated)| StatusCode::from_u16(*stated).ok()) {
        *refusal.status_mut() = stated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_configuration_changes_each_status_back() {
        let envoy = include_str!("../proxies/envoy.yaml");
        for (own, stated) in STATED {
            let mut refusal = Response::builder().status(own).body(()).unwrap();
            state(&mut refusal);
            assert_eq!(refusal.status().as_u16(), stated);
            let mapper =
                envoy.split("default_value: ").find(|rest| rest.starts_with(&stated.to_string()));
            assert!(mapper.unwrap().contains(&format!("status_code: {own}")), "{own}");
        }
        let mut other = Response::builder().status(429).body(()).unwrap();
        state(&mut other);
        assert_eq!(other.status(), 429);
    }
}
