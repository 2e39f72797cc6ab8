//! Sets the options of a builder from the tables of a file.

use super::{plans, roles, routes};
use crate::config::read::{Contradiction, Path};
use crate::config::tables::FrontDoorTable;
use crate::key::{Audience, Environment};
use crate::service::ApiKeyLayerBuilder;

impl FrontDoorTable {
    /// Sets all options of the gate but its profile, its store and its limiters. Adds the fields that contradict themselves
    /// to `found`. What contradicts another field, the builder finds.
    pub(in crate::config) fn apply(
        &self,
        mut builder: ApiKeyLayerBuilder,
        found: &mut Vec<Contradiction>,
    ) -> ApiKeyLayerBuilder {
        let path = |name: &str| Path::default().field(name);
        if let Some(routes) =
            routes::describe(self.routes_of, self.routes.as_deref(), self.otherwise.as_ref(), found)
        {
            builder = builder.routes(routes);
        }
        if let Some(scopes) = &self.scopes {
            builder = scopes.with_rules(|rules| builder.scopes(rules));
        }
        if let Some(roles) = roles::describe(&self.roles, found) {
            builder = builder.roles(roles);
        }
        if let Some(plans) = plans::describe(&self.plans, found) {
            builder = builder.plans(plans);
        }
        if let Some(environment) = &self.environment {
            let problem = Environment::new(environment).err();
            found.extend(problem.map(|it| Contradiction::new(path("environment"), &it)));
            builder = builder.environment(environment);
        }
        if let Some(audience) = &self.audience {
            let problem = Audience::new(audience).err();
            found.extend(problem.map(|it| Contradiction::new(path("audience"), &it)));
            builder = builder.audience(audience);
        }
        if let Some(pepper) = &self.pepper {
            match pepper.describe(&path("pepper")) {
                Ok(hasher) => builder = builder.hasher(hasher),
                Err(contradiction) => found.push(contradiction),
            }
        }
        if let Some(peppers) = &self.peppers {
            match peppers.describe(&path("peppers")) {
                Ok(hasher) => builder = builder.hasher(hasher),
                Err(contradiction) => found.push(contradiction),
            }
            if self.pepper.is_some() {
                let problem = "`pepper` and `peppers` exclude each other: remove `pepper`";
                let both = Contradiction::new(path("peppers"), &problem);
                found.push(both.beside(path("pepper")));
            }
        }
        if let Some(proxies) = &self.trusted_proxies
            && let Some(proxies) = proxies.describe(&path("trusted_proxies"), found)
        {
            builder = builder.trusted_proxies(proxies);
        }
        if let Some(quotas) = &self.anonymous_quotas {
            match quotas.describe(&path("anonymous_quotas")) {
                Ok(quotas) => builder = builder.anonymous_quotas(quotas),
                Err(contradiction) => found.push(contradiction),
            }
        }
        if let Some(preflight) = &self.answer_preflight {
            match preflight.describe(&path("answer_preflight")) {
                Ok(preflight) => builder = builder.answer_preflight(preflight),
                Err(contradiction) => found.push(contradiction),
            }
        }
        if let Some(protocol) = &self.select_websocket_protocol {
            builder = builder.select_websocket_protocol(protocol);
        }
        if let Some(attempts) = &self.failed_attempts
            && attempts.shared_on_failure.is_some()
            && self.limiter.is_none()
        {
            let problem = "the table `limiter` is missing: add it, or remove this field";
            let place = path("failed_attempts").field("shared_on_failure");
            found.push(Contradiction::new(place, &problem));
        }
        if let Some(refusals) = &self.refused_requests {
            builder = builder.refused_requests(refusals.describe());
        }
        builder = builder.grpc_services(&self.grpc_services);
        found.extend(self.open_everywhere());
        if self.without_limits && self.limiter.is_some() {
            let problem = "the table `limiter` counts requests: remove one of the two";
            found
                .push(Contradiction::new(path("without_limits"), &problem).beside(path("limiter")));
        }
        self.switch(builder)
    }

    /// Refuses a gate that is open by the absence of routes: a file that lost its end must not be one.
    fn open_everywhere(&self) -> Option<Contradiction> {
        let is_closed =
            self.routes_of.is_some() || self.routes.is_some() || self.otherwise.is_some();
        if !self.optional || is_closed {
            return None;
        }
        let path = |name: &str| Path::default().field(name);
        let problem = "every path would be open to clients without a key: add `routes`, or write \
            `otherwise = { need = {} }` if that is meant";
        let found = Contradiction::new(path("optional"), &problem);
        let lists = ["routes", "routes_of", "otherwise"];
        Some(lists.into_iter().fold(found, |found, list| found.beside(path(list))))
    }

    /// Sets the options that are on or off.
    fn switch(&self, builder: ApiKeyLayerBuilder) -> ApiKeyLayerBuilder {
        type Method = fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder;
        let switches: [(bool, Method); 10] = [
            (self.assume_https, ApiKeyLayerBuilder::assume_https),
            (self.request_id_from_proxies, ApiKeyLayerBuilder::request_id_from_proxies),
            (self.optional, ApiKeyLayerBuilder::optional),
            (self.allow_preflight, ApiKeyLayerBuilder::allow_preflight),
            (self.strip_credential, ApiKeyLayerBuilder::strip_credential),
            (self.client_in_request, ApiKeyLayerBuilder::client_in_request),
            (self.decision_in_response, ApiKeyLayerBuilder::decision_in_response),
            (self.without_grant, ApiKeyLayerBuilder::without_grant),
            (self.only_grpc, ApiKeyLayerBuilder::only_grpc),
            (self.without_limits, ApiKeyLayerBuilder::without_limits),
        ];
        let on = switches.into_iter().filter(|(is_on, _)| *is_on);
        on.fold(builder, |builder, (_, set)| set(builder))
    }
}
