//! The credential sources of a gate, as data again, for a document that describes the gate.

use super::authorization::Schemes;
use super::credential::Credentials;
use super::grpc::GrpcServices;
use super::source::{Carrier, Form, Source};
use crate::profile::Scheme;

impl Credentials {
    /// Lists the schemes of the sources, each with the kinds of keys that it accepts; `None` means all.
    pub(crate) fn schemes(&self) -> impl Iterator<Item = (Scheme<'_>, Option<&[Box<str>]>)> {
        let sources = self.sources.iter().enumerate();
        sources.filter_map(|(index, source): (usize, &Source)| {
            Some((self.scheme(index, &source.carrier)?, source.kinds()))
        })
    }

    fn scheme<'a>(&'a self, index: usize, carrier: &'a Carrier) -> Option<Scheme<'a>> {
        let named = |list: &'a [(Box<str>, usize)]| {
            let mut list = list.iter();
            list.find(|(_, source)| *source == index).map(|(name, _)| &**name)
        };
        Some(match carrier {
            Carrier::Scheme(form) => self.schemes.scheme(index, form)?,
            Carrier::Header(name) => Scheme::Header(name.as_str()),
            Carrier::Headers { id, secret } => {
                Scheme::IdAndSecret { id: id.as_str(), secret: secret.as_str() }
            }
            Carrier::Query => Scheme::InsecureQuery(named(&self.parameters)?),
            Carrier::WebSocketProtocol => Scheme::WebSocketProtocol(named(&self.protocols)?),
        })
    }
}

impl Schemes {
    fn scheme<'a>(&'a self, index: usize, form: &'a Form) -> Option<Scheme<'a>> {
        let is_bearer = self.bearer == Some(index);
        let mut others = self.others.iter();
        let name = || others.find(|(_, source)| *source == index).map(|(name, _)| &**name);
        Some(match form {
            Form::Pair(rule) if self.basic == Some(index) => Scheme::Basic(rule.as_key()),
            Form::Pair(rule) if is_bearer => Scheme::NamedPair("Bearer", rule.as_key()),
            Form::Pair(rule) => Scheme::NamedPair({ name }()?, rule.as_key()),
            Form::Token => Scheme::Bearer,
            Form::Visible if is_bearer => Scheme::WideBearer,
            Form::Visible if self.basic == Some(index) => Scheme::Named("Basic"),
            Form::Visible => Scheme::Named({ name }()?),
        })
    }
}

impl GrpcServices {
    /// Returns true for the path of a method of one of the services.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        self.0.iter().any(|service| path.starts_with(&**service))
    }
}
