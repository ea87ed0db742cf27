//! Which node a command asks, and what a refusal means for its exit code.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::admin::api::Api;
use crate::admin::client::{AdminError, Door};
use crate::config::Config;

/// Which node is asked, and how it answers. Any node knows all of its cluster.
#[derive(Debug, Clone, Args)]
pub(super) struct Reach {
    /// Another node's admin API, such as https://node-1.example:9180 [default: the node of the data folder; or ROOKERY_ADMIN]. Its
    /// token is in ROOKERY_ADMIN_TOKEN.
    #[arg(long, global = true, value_name = "URL")]
    admin: Option<String>,
    /// The PEM file of whoever signed its certificate, if that is none of the system's [or ROOKERY_ADMIN_CA].
    #[arg(long, global = true, value_name = "FILE")]
    admin_ca: Option<PathBuf>,
}

impl Reach {
    pub(super) fn api(&self, config: &Config) -> Result<Api, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let url = self.admin.clone().or_else(|| variable("ROOKERY_ADMIN"));
        let Some(url) = url else {
            return Ok(Api::new(Door::Here(config.data.clone())));
        };
        let ca = self
            .admin_ca
            .clone()
            .or_else(|| variable("ROOKERY_ADMIN_CA").map(PathBuf::from));
        let token = variable("ROOKERY_ADMIN_TOKEN").ok_or_else(|| {
            Failure::Denied(format!(
                "{url} wants a token: put it into ROOKERY_ADMIN_TOKEN"
            ))
        })?;
        let door = Door::there(&url, token, ca.as_deref())?;
        Ok(Api::new(door))
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        let sentence = error.to_string();
        match error {
            AdminError::Refused {
                status: 401 | 403, ..
            } => Self::Denied(sentence),
            AdminError::Refused { status: 404, .. } => Self::Unknown(sentence),
            AdminError::Refused { status: 504, .. }
            | AdminError::Nobody(_)
            | AdminError::There { .. }
            | AdminError::Socket { .. }
            | AdminError::Http(_)
            | AdminError::Cut => Self::Unreached(sentence),
            AdminError::Refused { .. } => Self::Other(sentence),
            AdminError::BadUrl(_) | AdminError::BadCa(_) => Self::Settings(sentence),
        }
    }
}
