//! The console, as a file describes it.

use tower_api_key::config::{ConsoleSettings, FrontDoor};
use tower_api_key::{ApiKeyLayer, ConfigError};
use tower_api_key_admin::console::{Console, ConsoleSessions, SessionLimits};
use tower_api_key_admin::management::Management;

use crate::opened::Opened;

/// Builds a console whose gates know of proxies, environment, audience and telemetry what the file says. Failed sign-ins
/// count among the failed attempts of the file's gate. Sessions of an earlier console go on.
pub(crate) fn build(
    (door, opened): (&FrontDoor, &Opened),
    settings: &ConsoleSettings,
    management: Management,
    layer: &ApiKeyLayer,
    before: Option<&ConsoleSessions>,
) -> Result<Console, ConfigError> {
    let set_up = door.clone();
    let attempts = door.failed_attempts(&opened.backends());
    let mut builder =
        Console::builder(management).path(settings.path()).sign_in_after(layer).gate(move |gate| {
            let gate = crate::failures::log(set_up.set_up(gate), set_up.telemetry());
            match &attempts {
                Some(attempts) => gate.failed_attempts(attempts.clone()),
                None => gate,
            }
        });
    if let Some(before) = before {
        builder = builder.with_sessions(before);
    }
    if let Some(title) = &settings.title {
        builder = builder.title(title);
    }
    let mut limits = SessionLimits::default();
    if let Some(idle) = settings.idle {
        limits.idle = idle.duration();
    }
    if let Some(longest) = settings.longest {
        limits.longest = longest.duration();
    }
    door.with_profile(|profile| {
        let environments = profile.formats.first().and_then(|format| format.environments());
        let environments = environments.unwrap_or_default().iter().copied();
        let builder = builder.formats(profile.formats.iter().copied()).environments(environments);
        builder.sessions(limits).build()
    })
}
