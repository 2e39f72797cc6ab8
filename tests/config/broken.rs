//! Files that are wrong by their shape, and files that are right.

/// What is wrong, and a file of a front door that has it.
pub(super) const BROKEN: &[(&str, &str)] = &[
    ("no profile", "store.url = 'memory:'"),
    ("an unknown table", "profile.base = 'persona'\n[profil]\n"),
    ("an unknown field", "profile = { base = 'polyteia', relam = 'x' }"),
    ("a number for a text", "profile = { base = 'polyteia', realm = 3 }"),
    ("a text for a list", "profile = { base = 'polyteia', credentials = 'bearer' }"),
    ("an unknown base", "profile.base = 'acme'"),
    ("a source without a scheme", "profile = { base = 'polyteia', credentials = [{}] }"),
    ("an unknown scheme", "profile = { base = 'polyteia', credentials = [{ scheme = 'bear' }] }"),
    (
        "a scheme without its content",
        "profile = { base = 'polyteia', credentials = [{ scheme = 'header' }] }",
    ),
    (
        "a scheme with content that it does not have",
        "profile = { base = 'polyteia', credentials = [{ scheme = { bearer = 'x' } }] }",
    ),
    (
        "two schemes in one source",
        "profile = { base = 'polyteia', credentials = [{ scheme = { header = 'x-a', named = 'Token' } }] }",
    ),
    (
        "half of two headers",
        "profile = { base = 'polyteia', credentials = [{ scheme = { id_and_secret = { id = 'x-id' } } }] }",
    ),
    ("a format of negative length", "profile = { base = 'polyteia', formats = [{ hex = -40 }] }"),
    ("a format that is too long", "profile = { base = 'polyteia', formats = [{ hex = 70000 }] }"),
    (
        "an unknown alphabet",
        "profile = { base = 'polyteia', formats = [{ segments = [{ characters = { alphabet = 'base32', count = 9 } }] }] }",
    ),
    (
        "a misspelt count",
        "profile = { base = 'polyteia', formats = [{ segments = [{ characters = { alphabet = 'hex', cont = 9 } }] }] }",
    ),
    ("an unknown dialect", "profile = { base = 'polyteia', limit_headers = { dialect = 'x' } }"),
    (
        "a truth that is a text",
        "profile = { base = 'polyteia', limit_headers = { dialect = 'none', limit = 'no' } }",
    ),
    (
        "too many decimals for a byte",
        "profile = { base = 'polyteia', limit_headers = { dialect = 'none', fields = [{ name = 'x-a', value = 'limit', decimals = 256 }] } }",
    ),
    (
        "a row of no denial",
        "profile = { base = 'polyteia', answers = { key_unkown = 'key_revoked' } }",
    ),
    (
        "a row that equals none",
        "profile = { base = 'polyteia', answers = { key_unknown = 'nothing' } }",
    ),
    (
        "a misspelt challenge",
        "profile = { base = 'polyteia', answers = { kind_not_allowed = { status = 403, body = 'empty', chalenge = 'bare' } } }",
    ),
    (
        "a status that is a text",
        "profile = { base = 'polyteia', answers = { kind_not_allowed = { status = '403', body = 'empty' } } }",
    ),
    (
        "half of a body",
        "profile = { base = 'polyteia', answers = { kind_not_allowed = { status = 403, body = { code_and_message = { code = 'x' } } } } }",
    ),
    (
        "an answer of a path without a prefix",
        "profile = { base = 'polyteia', answers_by_path = [{ answers = {} }] }",
    ),
    (
        "a header that is a number",
        "profile = { base = 'polyteia', response_headers = { x-a = 7 } }",
    ),
    (
        "a quota without a limit",
        "limiter.url = 'memory:'\nprofile = { base = 'polyteia', quotas = [{ name = 'minute', window = '60s' }] }",
    ),
    (
        "a quota with a limit of more than 32 bits",
        "limiter.url = 'memory:'\nprofile = { base = 'polyteia', quotas = [{ name = 'minute', limit = 4294967296, window = '60s' }] }",
    ),
    (
        "a window without a unit",
        "limiter.url = 'memory:'\nprofile = { base = 'polyteia', quotas = [{ name = 'minute', limit = 9, window = '60' }] }",
    ),
    (
        "an unknown algorithm",
        "limiter.url = 'memory:'\nprofile = { base = 'polyteia', quotas = [{ name = 'minute', limit = 9, window = '60s', algorithm = 'gcra' }] }",
    ),
    ("a limiter without an address", "profile.base = 'polyteia'\n[limiter]\n"),
    (
        "an unknown choice on failure",
        "profile.base = 'polyteia'\nlimiter = { url = 'memory:', on_failure = 'open' }",
    ),
    (
        "a store with a field of none",
        "profile.base = 'polyteia'\nstore = { url = 'memory:', pool = 3 }",
    ),
    ("a misspelt option", "profile.base = 'polyteia'\nstrip_credentials = true"),
    (
        "a method in lower case",
        "profile.base = 'polyteia'\nroutes = [{ methods = ['get'], path = '/a' }]",
    ),
    ("a route without a path", "profile.base = 'polyteia'\nroutes = [{ methods = ['GET'] }]"),
    (
        "a cost that is a text",
        "profile.base = 'polyteia'\nroutes = [{ path = '/a', cost = 'ten' }]",
    ),
    (
        "statuses of no range",
        "profile.base = 'polyteia'\nroutes = [{ path = '/a', refund_on = ['5xx'] }]",
    ),
    (
        "a limit of simultaneous requests without a number",
        "profile.base = 'polyteia'\nroutes = [{ path = '/a', concurrency = {} }]",
    ),
    ("a plan that is a number", "profile.base = 'polyteia'\nplans.free = 3"),
    ("a role that is a text", "profile.base = 'polyteia'\nroles.reader = 'read'"),
    (
        "proxies without headers",
        "profile.base = 'polyteia'\ntrusted_proxies = { networks = ['10.0.0.0/8'] }",
    ),
    (
        "unknown headers of proxies",
        "profile.base = 'polyteia'\ntrusted_proxies = { headers = 'via', networks = ['10.0.0.0/8'] }",
    ),
    ("attempts without a window", "profile.base = 'polyteia'\nfailed_attempts = { limit = 3 }"),
    (
        "a value from two places",
        "profile = { base = 'polyteia', realm = { env = 'A', file = 'B' } }",
    ),
    ("a value from nowhere", "profile = { base = 'polyteia', realm = {} }"),
    (
        "a value from elsewhere below JSON",
        "profile = { base = 'polyteia', answers = { kind_not_allowed = { status = 403, body = { json = { shape = '{}', values = { a = { env = 'HOME' } } } } } } }",
    ),
];

/// What is said, and a file of a front door that says it.
pub(super) const RIGHT: &[(&str, &str)] = &[
    ("a base", "profile.base = 'polyteia'"),
    (
        "a text from the environment",
        "profile = { base = 'polyteia', realm = { env = 'CARGO_PKG_NAME' } }",
    ),
    (
        "a number from a file",
        "profile = { base = 'polyteia', formats = [{ hex = { file = 'config/digits' } }] }",
    ),
    (
        "the schema's address",
        "'$schema' = '../schema/front-door.schema.json'\nprofile.base = 'polyteia'",
    ),
    (
        "statuses as numbers and as ranges",
        "profile.base = 'polyteia'\nroutes = [{ methods = ['GET', 'M-SEARCH'], path = '/a', refund_on = [503, '500-599'] }]",
    ),
    (
        "JSON of any shape, with a field of the name `file`",
        "profile = { base = 'polyteia', answers = { kind_not_allowed = { status = 403, body = { json = { shape = { error = { file = 'x' }, list = [1, 2.5, true] } } } } } }",
    ),
    (
        "JSON in a text",
        "profile = { base = 'polyteia', answers = { kind_not_allowed = { status = 403, body = { json = { shape = '{\"a\":null}' } } } } }",
    ),
];
