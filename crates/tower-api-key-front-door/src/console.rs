//! The console, as a file describes it.

use tower_api_key::ConfigError;
use tower_api_key::config::{ConsoleSettings, FrontDoor};
use tower_api_key_admin::console::{Console, SessionLimits};
use tower_api_key_admin::management::Management;

/// Builds a console whose gates know of proxies, environment, audience and telemetry what the file says.
pub(crate) fn build(
    door: &FrontDoor,
    settings: &ConsoleSettings,
    management: Management,
) -> Result<Console, ConfigError> {
    let set_up = door.clone();
    let mut builder =
        Console::builder(management).path(settings.path()).gate(move |gate| set_up.set_up(gate));
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
