//! Runs `config`, which checks the files of front doors and prints what helps to write them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;
use tower_api_key::config::{FrontDoorError, json_schema, json_schema_with, to_toml};

use crate::door;
use crate::failure::{Failure, INVALID};
use crate::help;
use crate::output::Output;
use crate::vendor::Vendor;

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check the file of a front door, and print all of its mistakes
    #[command(after_help = help::CONFIG_CHECK)]
    Check {
        /// File to check, in TOML, or in JSON if its name ends in `.json`
        file: PathBuf,
        /// Allow one table more, which belongs to the program that serves the file, as `gateway`
        #[arg(long, value_name = "NAME")]
        table: Option<String>,
    },
    /// Print the JSON Schema of such files, for editors
    #[command(after_help = help::CONFIG_SCHEMA)]
    Schema {
        /// Allow one table more, which belongs to the program that serves the files
        #[arg(long, value_name = "NAME")]
        table: Option<String>,
    },
    /// Print the file of a vendor that ships with this program
    #[command(after_help = help::CONFIG_PRINT)]
    Print {
        /// Vendor of the file
        #[arg(long, value_enum)]
        vendor: Vendor,
    },
}

pub(crate) fn run(command: &Config, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        Config::Check { file, table } => return check(file, table.as_deref(), output),
        Config::Schema { table: None } => output.file(&json_schema())?,
        Config::Schema { table: Some(table) } => output.file(&json_schema_with::<Value>(table))?,
        Config::Print { vendor } => {
            let file = to_toml(&vendor.profile(), vendor.routes());
            output.file(&file.map_err(|error| Failure::Invalid(error.to_string()))?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path, table: Option<&str>, output: &Output) -> Result<ExitCode, Failure> {
    match door::read(file, table) {
        Ok(_) => {
            output.mistakes(&[])?;
            output.say(&format!("{} describes a front door", file.display()));
            Ok(ExitCode::SUCCESS)
        }
        Err(FrontDoorError::Mistaken { mistakes, .. }) if output.is_json() => {
            output.mistakes(&mistakes)?;
            Ok(ExitCode::from(INVALID))
        }
        Err(error) => Err(error.into()),
    }
}
