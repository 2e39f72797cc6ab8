//! The field of each kind of [`ConfigError`].

use super::{header, wording};
use crate::config::gate::route_mistakes;
use crate::config::read::{Contradiction, Path};
use crate::config::tables::FrontDoorTable;
use crate::error::{ConfigError, InvalidRoute};

impl FrontDoorTable {
    /// Returns the field that has to change, and those of all routes that are wrong by themselves.
    pub(in crate::config) fn locate_all(&self, error: &ConfigError) -> Vec<Contradiction> {
        let mut found = vec![self.locate(error)];
        if let ConfigError::Route(_) | ConfigError::NoAlternative { .. } = error {
            let routes = route_mistakes(self.routes.as_deref().unwrap_or_default());
            found.extend(routes.iter().map(|error| self.locate(error)));
        }
        found
    }

    /// Returns the field that has to change. A new kind of error does not compile until it has its place here.
    pub(in crate::config) fn locate(&self, error: &ConfigError) -> Contradiction {
        let root = Path::default();
        let profile = root.field("profile");
        let at = |path: Path| wording::at(path, error);
        match error {
            ConfigError::NoCredentialSource => {
                let help = "add a source to the list, as `{ scheme = \"bearer\" }`";
                at(profile.field("credentials")).remedy(help)
            }
            ConfigError::NoKeyFormat => {
                let help = "add a format to the list, as `{ hex = 40 }`";
                at(profile.field("formats")).remedy(help)
            }
            ConfigError::RepeatedCredentialSource(_) | ConfigError::CredentialSource { .. } => {
                let path = self.profile.source_path(&profile, error);
                at(path).beside(profile.field("credentials"))
            }
            ConfigError::FormatNotCarried { pattern, .. } => {
                let path = self.profile.format_path(&profile, pattern);
                at(path).beside(profile.field("credentials"))
            }
            ConfigError::KeyFormat { pattern, .. } => {
                at(self.profile.format_path(&profile, pattern))
            }
            ConfigError::EnvironmentUnknown { .. } => {
                at(root.field("environment")).beside(profile.field("formats"))
            }
            ConfigError::Quota(problem) => Self::quota_at(problem, error),
            // The options are checked where they are described, so these two are of the profile.
            ConfigError::Name(_) | ConfigError::Network(_) => at(profile),
            ConfigError::Header { what, value, .. } => header::locate(self, what, value, error),
            ConfigError::RequiredHeader { name, .. } => {
                let path = self.profile.header_path(&profile, "required_headers", name);
                at(path).beside(profile.field("credentials"))
            }
            ConfigError::ChallengeMissing { answer } => {
                let path = self.profile.answer_path(&profile, None, Some(answer));
                at(path)
                    .beside(profile.field("credentials"))
                    .beside(profile.field("challenges"))
                    .remedy("add `challenge = \"bare\"`, or another one, to the row")
            }
            ConfigError::StatusNotRefusing { answer, .. } => {
                let path = self.profile.answer_path(&profile, None, Some(answer));
                at(path.field("status"))
                    .remedy("write one from 400 to 599, or 200 with `insecure_success = true`")
            }
            ConfigError::PathAnswers(problem) => {
                let (prefix, row) = (Some(problem.prefix()), problem.row());
                at(self.profile.answer_path(&profile, prefix, row))
            }
            ConfigError::Answer { answer, part, .. } => {
                let path = self.profile.answer_part_path(&profile, answer, part);
                at(path).beside(profile.field("response_headers"))
            }
            ConfigError::Route(problem) => self.route_at(problem, error),
            ConfigError::ScopeRules { field, value, .. } => at(self.scope_path(field, value)),
            ConfigError::GrpcService { name } => {
                let path = root.field("grpc_services");
                let index = self.grpc_services.iter().position(|service| service == name);
                at(index.map_or(path.clone(), |index| path.item(index)))
            }
            ConfigError::NoTrustedNetwork => {
                let option = match self.trusted_proxies {
                    Some(_) => "trusted_proxies",
                    None => "request_id_from_proxies",
                };
                at(root.field(option)).beside(root.field("trusted_proxies")).remedy(
                    "list networks in `trusted_proxies.networks`, or set `trusted_proxies.unix_socket`",
                )
            }
            ConfigError::RequestIdHeaderMissing => at(root.field("request_id_from_proxies"))
                .beside(profile.field("request_id"))
                .remedy("set `profile.request_id`, or remove this field"),
            ConfigError::TrustedInternet { .. } => {
                at(root.field("trusted_proxies").field("networks"))
            }
            ConfigError::Replica { field, .. } => at(Self::replica_path(field)),
            ConfigError::Redis(_) => at(root.field("limiter")),
            ConfigError::NetworkPrefix { method, bits, .. } => at(Self::prefix_path(method, *bits)),
            ConfigError::AttemptsNotGivenBack | ConfigError::AttemptsLimiterMissing => {
                at(root.field("failed_attempts").field("shared_on_failure"))
            }
            ConfigError::TooManyRemembered { what, .. } => at(Self::capacity_path(what)),
            ConfigError::Origin { origin } => {
                let path = root.field("answer_preflight").field("from_origins");
                let table = self.answer_preflight.as_ref();
                let origins = table.and_then(|table| table.from_origins.as_deref());
                let index = origins.unwrap_or_default().iter().position(|listed| listed == origin);
                at(index.map_or(path.clone(), |index| path.item(index)))
            }
            ConfigError::NoAlternative { place, list } => self.list_at(place, list, error),
            ConfigError::MeteredWithoutGrant => at(root.field("without_grant"))
                .beside(root.field("routes"))
                .beside(root.field("otherwise")),
            ConfigError::AnonymousQuotas { place, .. } => self.anonymous_at(place, error),
            // Responses are shaped by a layer of their own, and a program asks for forward auth. No file describes them.
            ConfigError::Shaping { .. } | ConfigError::ForwardAuth { .. } => at(root),
            ConfigError::LimiterMissing => at(root.clone())
                .beside(root.field("limiter"))
                .remedy("add a table `limiter`, or write `without_limits = true`"),
        }
    }

    /// Returns the field of a route that has to change.
    fn route_at(&self, problem: &InvalidRoute, error: &ConfigError) -> Contradiction {
        let at = |path: Path| wording::at(path, error);
        match problem {
            InvalidRoute::Pattern { pattern, .. } => at(self.pattern_path(pattern)),
            InvalidRoute::Repeated { pattern } => at(self.repeated_path(pattern)),
            InvalidRoute::Parameter { pattern, parameter } => {
                let path = self.needs_path(pattern, |needs| {
                    needs.account_parameter.as_deref() == Some(parameter)
                });
                at(path.field("account_parameter")).beside(path.field("path"))
            }
            InvalidRoute::Need { pattern, field, value, .. } => {
                let (path, quotas) = self.need_path(pattern, field, value);
                at(path).beside(quotas)
            }
            InvalidRoute::Concurrency { pattern } => {
                let path = self.needs_path(pattern, |needs| {
                    needs.concurrency.as_ref().is_some_and(|rule| rule.limit == 0)
                });
                at(path.field("concurrency").field("limit"))
            }
            InvalidRoute::Budget { pattern } => {
                let path = self.needs_path(pattern, |needs| {
                    needs.budget.is_some_and(|budget| budget.duration().is_zero())
                });
                at(path.field("budget"))
            }
            InvalidRoute::Cost { pattern, cost, .. } => {
                let path = self.needs_path(pattern, |needs| needs.cost.unwrap_or(1) == *cost);
                at(path.field("cost"))
                    .beside(path.field("quotas"))
                    .beside(path.field("anonymous_quotas"))
                    .beside(Path::default().field("plans"))
                    .beside(Path::default().field("anonymous_quotas"))
                    .beside(Path::default().field("profile").field("quotas"))
            }
        }
    }
}
