//! How a program shows Redis who it is, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The table `[limiter.login]`: the user and password of Redis, in place of the URL's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisLogin {
    /// The user of the server's ACL: the URL's unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The file with the password, which is read again for each new connection. Its path starts in the folder of this
    /// file.
    pub password_file: String,
}

/// The table `[limiter.tls]`: the certificates of connections to `rediss://…`. Files are read again for each new
/// connection, and their paths start in the folder of this file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisCertificates {
    /// The authorities that sign servers, in the format PEM: those of the operating system unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// The chain of this program's certificate, in the format PEM. It needs `key_file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<String>,
    /// The private key of the certificate, in the format PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
}
