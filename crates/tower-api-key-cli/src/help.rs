//! The text that `--help` prints below the options.

pub(crate) const PROGRAM: &str = "\
Examples:
  tower-api-key accounts save acme --scope users.read
  tower-api-key keys create --account acme --id backup >key.txt
  tower-api-key check --vendor rest-integrations --path /v1/users <key.txt
  tower-api-key --store postgres://keys@10.0.0.5/app keys list --account acme

Exit codes:
  0  Done. `check`: the request would be admitted. `whose`: a key has the secret.
  1  The database or the operating system failed.
  2  The command line is wrong.
  3  No key, account or policy has this id. `whose`: no key has the secret.
  4  The id is taken, the key is not active, a value is not valid, or a policy forbids the change.
  5  `check`: the request would be refused.";

pub(crate) const CREATE: &str = "\
Keys of `--vendor standard` fit `formats = [\"standard\"]` of a front door's file. Keys of --prefix, and keys without
both options, have 29 random characters, so they need a format of `segments`: docs/configuration.md has them.

Quotas are written NAME=LIMIT/WINDOW[:ALGORITHM][@key][+shadow][+FAILURE], such as minute=100/60s.
  LIMIT      requests in a window, 1 or more
  WINDOW     a duration such as 60s or \"1 day\", or calendar_day or calendar_month (UTC)
  ALGORITHM  fixed_window (default), leaky_bucket or sliding_window; only with a duration
  @key       count each key alone; without it all keys of the account share the quota
  +shadow    count requests, but refuse none
  FAILURE    while the limiter fails: deny requests, allow them, or count them in each of
             NODES processes (local/NODES); without it the gate's own choice applies

Examples:
  tower-api-key keys create --account acme --id backup --owner ada --scope users.read
  tower-api-key --quiet keys create --account acme --expires \"in 90 days\" >key.txt
  tower-api-key keys create --account acme --prefix acme_{environment}_ --environment live
  tower-api-key keys create --account acme --vendor polytomic --kind organization
  tower-api-key keys create --account acme --vendor standard --environment live
  tower-api-key keys create --account acme --quota \"day=5000/1 day:sliding_window@key\"";

pub(crate) const LIST: &str = "\
Examples:
  tower-api-key keys list --account acme --state active
  tower-api-key --json keys list --after key_0100 --limit 1000";

pub(crate) const USAGE: &str = "\
Requests are counted by whole hours of UTC. Gates write what they counted every 5 seconds. Hours that were rolled up
count in the first hour of their day.

Examples:
  tower-api-key usage --account acme --group-by day,decision
  tower-api-key usage --key backup --since \"2 days ago\" --group-by hour
  tower-api-key usage --since 2027-01-01T00:00:00Z --until 2027-02-01T00:00:00Z --group-by route --csv >january.csv
  tower-api-key usage keys --limit 20";

pub(crate) const USAGE_KEYS: &str = "\
Whole months of UTC are counted.

Examples:
  tower-api-key usage keys --account acme
  tower-api-key usage keys --since 2027-01-01T00:00:00Z --until 2027-02-01T00:00:00Z --csv";

pub(crate) const USAGE_PRUNE: &str = "\
Run this once a day. The sums by day stay the same when hours become days.

Example:
  tower-api-key usage prune --hours \"60 days\"";

pub(crate) const EDIT: &str = "\
Options that are left out keep their values. `keys create --help` describes quotas.

Examples:
  tower-api-key keys edit backup --disable
  tower-api-key keys edit backup --network 10.0.0.0/8 --network 2001:db8::/32
  tower-api-key keys edit backup --inherit-scopes --never-expires
  tower-api-key keys edit backup --metadata team=blue --metadata ticket=";

pub(crate) const ROTATE: &str = "\
Examples:
  tower-api-key --quiet keys rotate backup --overlap \"2 days\" >key.txt
  tower-api-key keys rotate leaked --overlap 0s";

pub(crate) const REVOKE: &str = "\
Examples:
  tower-api-key keys revoke backup laptop
  tower-api-key keys revoke --leaked backup
  tower-api-key keys revoke backup --reason \"the customer has left, ticket 4711\"";

pub(crate) const DELETE: &str = "\
Example:
  tower-api-key keys delete backup laptop";

pub(crate) const IMPORT: &str = "\
Fields of a line:
  digest   64 hexadecimal digits: the digest of the key's text, as the gate computes it (required)
  id       text, unique among the keys (required)
  account  text, the id of the account; a missing account is created without scopes (required)
  name, owner, kind, environment, audience
           text
  form     text, as `keys show` prints it; `keys rotate` needs it to issue a secret of the same form
  scopes, networks
           lists of text; without `scopes` the key inherits its account's
  expires  text, such as \"2027-01-31T12:00:00Z\" or \"in 90 days\"

Examples:
  tower-api-key keys import keys.jsonl
  tower-api-key keys import --atomic - <keys.jsonl

A line of keys.jsonl, for the key `hello`:
  {\"digest\":\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\",\"id\":\"k1\",\"account\":\"acme\"}";

pub(crate) const SAVE: &str = "\
Options that are left out keep their values. `keys create --help` describes quotas.

Examples:
  tower-api-key accounts save acme --scope users.read --scope users.write
  tower-api-key accounts save acme --quota minute=100/60s --quota month=100000/calendar_month
  tower-api-key accounts save acme --plan gold --default-quotas
  tower-api-key accounts save acme --disable";

pub(crate) const SET_POLICY: &str = "\
Of several policies that cover a key, the strictest rule counts. Options that are left out are no rules: the command
replaces the whole policy. docs/policies.md has the rules.

Examples:
  tower-api-key policies set all --require-expiry --switch-off-unused 60d
  tower-api-key policies set kind:personal --longest-life 90d --remind-of-rotation 75d --scopes users.read
  tower-api-key policies set account:acme --most-keys 10";

pub(crate) const CHECK_POLICIES: &str = "\
The command reads every key that SUBJECT covers, or every key. Keys that are revoked or expired break no rule.

The columns:
  breaks   the rules that the key breaks, each with the subject of its policy. New and changed keys must follow them; an
           older key may stay as it is, unless a sweep has something to do with it
  sweep    what a sweep would do with the key now. A sweep may leave a key on that it would switch off here: it also
           knows the uses that only a `UsageRecorder` saw
A row without a key is an account with too many keys.

Examples:
  tower-api-key policies check
  tower-api-key policies check all --longest-life 90d --limit 20
  tower-api-key policies check account:acme --csv >acme.csv";

pub(crate) const SWEEP_POLICIES: &str = "\
`policies check` shows what a sweep would do with each key, and `--dry-run` counts it. The trail names `policy` as the author
of its changes, and the policy as their reason.

Examples:
  tower-api-key policies sweep --dry-run
  tower-api-key policies sweep
  tower-api-key --json policies sweep";

pub(crate) const TRAIL: &str = "\
Examples:
  tower-api-key trail --limit 20
  tower-api-key trail --key backup
  tower-api-key --json trail --after 1200";

pub(crate) const EVENTS: &str = "\
docs/events.md lists the kinds of events.

Examples:
  tower-api-key events --limit 20
  tower-api-key events --follow --after 1200 >events.jsonl";

pub(crate) const REPLAY: &str = "\
Examples:
  tower-api-key events replay --sink billing
  tower-api-key events replay --sink billing --sequence 1207
  tower-api-key events replay --sink billing --all-after 1200";

pub(crate) const PRUNE_EVENTS: &str = "\
Examples:
  tower-api-key events prune --before \"90 days ago\" --dry-run
  tower-api-key events prune --before 2026-01-31T00:00:00Z";

pub(crate) const PRUNE: &str = "\
Examples:
  tower-api-key trail prune --before \"90 days ago\" --dry-run
  tower-api-key trail prune --before \"90 days ago\"
  tower-api-key trail prune --before 2026-01-31T00:00:00Z";

pub(crate) const CHECK: &str = "\
With --config, the store is that of --store, or else of TOWER_API_KEY_STORE, or else of the file.

Examples:
  tower-api-key check --vendor rest-integrations --path /v1/users <key.txt
  tower-api-key --quiet check --vendor personyze --basic api --path /rest/users <key.txt
  tower-api-key check --config gate.toml --key-header x-api-key --path /v1/users <key.txt
  tower-api-key check --config gateway.toml --table gateway --path /v1/users <key.txt
  tower-api-key check --vendor persona --from 203.0.113.7 --at \"in 90 days\" <key.txt";

pub(crate) const CONFIG_CHECK: &str = "\
The command builds the gate that the file describes, and finds what is wrong with it. It opens neither the store
nor the limiter. It reads the environment variables and files that the file names: where they are missing, as in CI, set
others. The table of a program, as of the gateway, needs --table; that program's own check finds the mistakes inside.
`gateway --check FILE` also opens the store. Exit code 4: the file has mistakes. With --json it prints a list of them.

Examples:
  tower-api-key config check gate.toml
  tower-api-key --json config check gate.toml
  tower-api-key config check gateway.toml --table gateway";

pub(crate) const CONFIG_SCHEMA: &str = "\
Write the path of the schema into the first line of a TOML file, or into `$schema` of a JSON file:
  #:schema ./front-door.schema.json

Examples:
  tower-api-key config schema >front-door.schema.json
  tower-api-key config schema --table gateway >gateway.schema.json";

pub(crate) const CONFIG_PRINT: &str = "\
Example:
  tower-api-key config print --vendor persona >gate.toml";

pub(crate) const WHOSE: &str = "\
Examples:
  tower-api-key whose <key.txt
  tower-api-key --quiet whose --pepper-file pepper <leaked.log";

pub(crate) const PEPPERS: &str = "\
The columns:
  pepper      the name of the pepper; none for secrets that were made without a keyring
  place       with --config: what the keyring of the file does with the pepper
  secrets     the secrets that need this pepper. Expired secrets and revoked keys need none
  endless     how many of them have no end
  last_used   when one of them was last used
  rehashed    the secrets that have a newer pepper, and are found by this one for a day more
  can_go      when no secret needs the pepper any more

Examples:
  tower-api-key peppers
  tower-api-key --json peppers --config gate.toml";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Arguments;

    /// Splits an example at spaces outside of quotes, up to a redirection.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for character in line.split(['<', '>']).next().unwrap_or_default().trim_end().chars() {
            match character {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                other => words.last_mut().unwrap().push(other),
            }
        }
        words
    }

    #[test]
    fn every_example_is_a_command_line() {
        Arguments::command().debug_assert();
        let texts = [
            PROGRAM,
            CREATE,
            LIST,
            EDIT,
            ROTATE,
            REVOKE,
            DELETE,
            IMPORT,
            SAVE,
            SET_POLICY,
            CHECK_POLICIES,
            SWEEP_POLICIES,
            TRAIL,
            PRUNE,
            PRUNE_EVENTS,
            EVENTS,
            REPLAY,
            CHECK,
            WHOSE,
            PEPPERS,
            CONFIG_CHECK,
            CONFIG_SCHEMA,
            CONFIG_PRINT,
        ];
        for line in texts.iter().flat_map(|text| text.lines()).map(str::trim_start) {
            if line.starts_with("tower-api-key ") {
                let mut command = Arguments::command();
                let matches = command.try_get_matches_from_mut(words(line)).unwrap();
                crate::meaning::check(&mut command, &matches).unwrap();
            }
        }
    }
}
