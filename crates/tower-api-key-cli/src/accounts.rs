//! Runs the commands of `accounts`.

use tower_api_key::store::{Command, CommandOptions, KeyManager, ManageError};

use crate::account_commands::Accounts;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) async fn run(
    store: &dyn KeyManager,
    options: CommandOptions<'_>,
    command: Accounts,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        Accounts::List { after, limit } => {
            let page = store.page_of_accounts(after.as_deref(), limit).await?;
            output.accounts(&page.found)?;
            output.broken("account", &page.broken);
            Ok(())
        }
        Accounts::Show { id } => {
            let account = store.find_account(&id).await?.ok_or(ManageError::NotFound)?;
            output.accounts(&[account])
        }
        Accounts::Save { id, settings } => {
            let former = store.find_account(&id).await?;
            let account = settings.apply(&id, former.as_deref())?;
            store.apply(Command::SaveAccount(account), options).await?;
            output.say(&format!("{id} is saved"));
            Ok(())
        }
        Accounts::Delete { id } => {
            store.apply(Command::DeleteAccount { id: &id }, options).await?;
            output.say(&format!("{id} and its keys are deleted"));
            Ok(())
        }
    }
}
