//! The pages that rotate, revoke and delete a key, and end its earlier secrets. Each shows what will happen, and asks for a reason.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use tower_api_key::store::{IdempotencyKey, Version};

use super::confirm::ConfirmPage;
use super::fields::Fields;
use super::frame::Section;
use super::key_form::fingerprint;
use super::key_values::Overlap;
use super::problem::{page, sentence};
use super::secret_page;
use super::visit::{Sent, Visit};
use crate::management::{ChangeRequest, ManagementError};

/// A change that a page asks to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Rotate,
    EndEarlierSecrets,
    Revoke,
    Delete,
}

impl Ending {
    const fn page(self) -> &'static str {
        match self {
            Self::Rotate => "rotate-key",
            Self::EndEarlierSecrets => "end-earlier-secrets",
            Self::Revoke => "revoke-key",
            Self::Delete => "delete-key",
        }
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::Rotate => "Rotate",
            Self::EndEarlierSecrets => "End the old secrets of",
            Self::Revoke => "Revoke",
            Self::Delete => "Delete",
        }
    }

    const fn consequence(self) -> &'static str {
        match self {
            Self::Rotate => {
                "The key gets a new secret, which is shown once. The old one ends after the time that you choose."
            }
            Self::EndEarlierSecrets => {
                "Requests with an old secret are refused from now on. The newest secret works on."
            }
            Self::Revoke => {
                "Requests with this key are refused from now on. A revocation is final."
            }
            Self::Delete => "The key and its settings are removed. Only the trail keeps its id.",
        }
    }

    /// Shows what will happen, if the visitor may do it.
    async fn ask(
        self,
        visit: &Visit,
        id: &str,
        reason: &str,
        error: Option<&ManagementError>,
    ) -> Response {
        let shared = &visit.shared;
        let entry = match shared.management.show_key(&visit.caller, id).await {
            Ok(entry) => entry,
            Err(error) => return visit.refused(&error),
        };
        let allowed = match self {
            Self::Rotate => shared.management.check_key_rotation(&visit.caller, &entry.record),
            _ => shared.management.check_key_change(&visit.caller, &entry.record),
        };
        if let Err(error) = allowed {
            return visit.refused(&error);
        }
        let Some(once) = shared.sessions.name() else {
            let problem = "The server has no random numbers now. Try again.";
            return visit.problem(StatusCode::SERVICE_UNAVAILABLE, problem);
        };
        let name = entry.record.name();
        let asked = ConfirmPage {
            frame: visit.frame(Section::Keys),
            title: format!("{} {}", self.verb(), if name.is_empty() { id } else { name }),
            page: self.page(),
            problem: error.map(sentence),
            consequence: self.consequence(),
            id: id.to_owned(),
            version: Version::of_key(&entry).to_string(),
            once,
            reason: reason.to_owned(),
            needs_reason: self != Self::Rotate,
            danger: self != Self::Rotate,
            button: if self == Self::EndEarlierSecrets { "End them" } else { self.verb() },
            back: shared.last_of_key("key", id),
        };
        page(error.map_or(StatusCode::OK, ManagementError::status), &asked)
    }

    /// Makes the change.
    async fn make(self, visit: &Visit, fields: &Fields) -> Result<Response, ManagementError> {
        let (shared, id, reason) = (&visit.shared, fields.text("id"), fields.text("reason"));
        let management = &shared.management;
        if reason.is_empty() && self != Self::Rotate {
            return Err(ManagementError::invalid("reason", "it is required"));
        }
        let version = fields.text("version").parse();
        let version = version.map_err(|_| ManagementError::VersionMissing)?;
        let fingerprint = fingerprint(self.page(), fields);
        let once = IdempotencyKey::new(fields.text("once"), &fingerprint);
        let request = ChangeRequest::new().because(reason).if_version(version);
        let request = if once.as_str().is_empty() { request } else { request.once(once) };
        match self {
            Self::Rotate => {
                let overlap = Overlap::read(fields)?;
                let issued = management.rotate_key(&visit.caller, id, overlap, &request).await?;
                let until = issued.secret.is_some().then(|| management.now().plus(overlap));
                Ok(secret_page::answer(visit, "The key was rotated", &issued, until))
            }
            Self::EndEarlierSecrets => {
                management.end_earlier_secrets(&visit.caller, id, &request).await?;
                let to = format!("{}&done=ended", shared.of_key("key", id));
                Ok(Redirect::to(&to).into_response())
            }
            Self::Revoke => {
                management.revoke_key(&visit.caller, id, &request).await?;
                let to = format!("{}&done=revoked", shared.of_key("key", id));
                Ok(Redirect::to(&to).into_response())
            }
            Self::Delete => {
                management.delete_key(&visit.caller, id, &request).await?;
                Ok(Redirect::to(&format!("{}/keys", shared.path)).into_response())
            }
        }
    }

    async fn answer(self, Sent { visit, fields }: Sent) -> Response {
        match self.make(&visit, &fields).await {
            Ok(response) => response,
            Err(error) => {
                self.ask(&visit, fields.text("id"), fields.text("reason"), Some(&error)).await
            }
        }
    }
}

type Asked = Query<Vec<(String, String)>>;

pub(super) async fn ask_rotation(visit: Visit, Query(fields): Asked) -> Response {
    Ending::Rotate.ask(&visit, Fields(fields).text("id"), "", None).await
}

pub(super) async fn ask_end(visit: Visit, Query(fields): Asked) -> Response {
    Ending::EndEarlierSecrets.ask(&visit, Fields(fields).text("id"), "", None).await
}

pub(super) async fn ask_revocation(visit: Visit, Query(fields): Asked) -> Response {
    Ending::Revoke.ask(&visit, Fields(fields).text("id"), "", None).await
}

pub(super) async fn ask_deletion(visit: Visit, Query(fields): Asked) -> Response {
    Ending::Delete.ask(&visit, Fields(fields).text("id"), "", None).await
}

pub(super) async fn rotate(sent: Sent) -> Response {
    Ending::Rotate.answer(sent).await
}

pub(super) async fn end(sent: Sent) -> Response {
    Ending::EndEarlierSecrets.answer(sent).await
}

pub(super) async fn revoke(sent: Sent) -> Response {
    Ending::Revoke.answer(sent).await
}

pub(super) async fn delete(sent: Sent) -> Response {
    Ending::Delete.answer(sent).await
}
