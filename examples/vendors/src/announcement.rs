//! Prints addresses, keys and requests to try.

use std::io::{self, Write};

use crate::gates::Limits;
use crate::manifest::Manifest;
use crate::options::Options;
use crate::organizations::ORGANIZATIONS;
use crate::{
    console, manage, persona, personyze, polyteia, polytomic, rest_integrations, telemetry,
    workshop,
};

/// Prints the addresses, the keys and a curl command for each vendor. A closed output does not stop the
/// demo.
pub(crate) fn print(manifest: &Manifest, options: &Options) {
    let _ = write(&mut io::stdout().lock(), manifest, options);
}

fn write(out: &mut impl Write, manifest: &Manifest, options: &Options) -> io::Result<()> {
    let Manifest { https, http, .. } = manifest;
    writeln!(out, "HTTPS on {https}")?;
    writeln!(out, "HTTP  on {http}, where gates refuse every key")?;
    writeln!(out, "Console on {https}{}, for the key `{} admin`", console::PATH, manage::VENDOR)?;
    writeln!(out, "Metrics on {http}{}, for this machine", telemetry::PATH)?;
    if matches!(options.limits, Limits::Redis { .. }) {
        writeln!(out, "Limits are counted in Redis")?;
    }
    if options.store == "memory" {
        writeln!(out, "\nDemo keys, valid until this process ends:\n")?;
    } else {
        writeln!(
            out,
            "\nDemo keys, stored in {}; keys of earlier demos stay valid:\n",
            place(options)
        )?;
    }
    for key in &manifest.keys {
        let note = match (key.vendor, key.label) {
            (_, "unlisted") => "unknown to the store",
            (polytomic::VENDOR, "deployment") if !options.on_premises => {
                "accepted with --on-premises only"
            }
            _ => &key.account,
        };
        let (vendor, label) = (key.vendor, key.label);
        writeln!(out, "  {vendor:<17} {label:<14} {:<53} {note}", key.key)?;
    }
    writeln!(out, "\nOrganizations and users of Polytomic:\n")?;
    for organization in ORGANIZATIONS {
        let whose = if organization.managed {
            "managed by the partner"
        } else {
            "not managed by the partner"
        };
        writeln!(out, "  {}  {} ({whose})", organization.id, organization.name)?;
        for user in organization.users {
            writeln!(out, "    {}  {}", user.id, user.name)?;
        }
    }
    writeln!(out, "\nTry:\n")?;
    for command in commands(manifest) {
        writeln!(out, "  {command}\n")?;
    }
    out.flush()
}

/// Returns the store of the keys. A PostgreSQL URL may hold a password, so it is not shown.
fn place(options: &Options) -> &str {
    if options.store.starts_with("sqlite:") { &options.store } else { "PostgreSQL" }
}

/// Returns a request for each vendor, as the vendor documents it.
fn commands(manifest: &Manifest) -> Vec<String> {
    let Manifest { https, ca, .. } = manifest;
    let curl = format!("curl --cacert '{ca}'");
    let bearer = |vendor, label| {
        let key = manifest.key(vendor, label);
        format!("{curl} -H 'Authorization: Bearer {key}'")
    };
    let host = https.trim_start_matches("https://");
    let key = manifest.key(personyze::VENDOR, "active");
    let mut commands = vec![
        format!("{curl} 'https://api:{key}@{host}/rest/users/where/internal_id=1'"),
        format!("{} {https}/v1/users", bearer(rest_integrations::VENDOR, "active")),
        format!("{curl} -i '{https}/v1/status?[1-6]'"),
        format!(
            "{} -H 'Content-Type: application/json' -d '{}' {https}/api",
            bearer(polyteia::VENDOR, "editor"),
            r#"{"command":"list_datasets","params":{}}"#
        ),
        format!(
            "{} -H 'Key-Inflection: camel' {https}/api/v1/inquiries",
            bearer(persona::VENDOR, "production")
        ),
    ];
    let key = manifest.key(workshop::VENDOR, "apprentice");
    commands.push(format!("{curl} -i -H 'Authorization: Token {key}' {https}/workshop/pieces"));
    commands.push(format!(
        "{} '{https}/manage/keys?account=org_acme'",
        bearer(manage::VENDOR, "admin")
    ));
    if let [organization, ..] = ORGANIZATIONS
        && let [user, ..] = organization.users
    {
        commands.push(format!(
            "{} -H 'X-Polytomic-Version: 2024-02-08' -X POST \
                 '{https}/api/organizations/{}/users/{}/keys'",
            bearer(polytomic::VENDOR, "partner"),
            organization.id,
            user.id
        ));
    }
    commands
}
