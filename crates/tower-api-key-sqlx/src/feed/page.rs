//! Reads a page of secrets. PostgreSQL sends them row by row, and SQLite packs them into one text.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::connect::SqlStore;
use super::super::dialect::Dialect;
use super::super::driver::{Columns, Row};
use super::super::row;
use super::super::statement::Statement;
use super::packed::PackedSecret;
use super::secrets::SecretReader;
use super::trail_position::{TrailPlace, from};
use tower_api_key::key::AccountId;
use tower_api_key::store::{FeedPage, FeedPosition, FeedSecret, StoreError};

/// The secrets of a page of PostgreSQL, as the statement says.
const OF_POSTGRES: usize = 250_000;

/// The secrets of a page of SQLite, as both statements say. A packed page is one text.
const OF_SQLITE: usize = 50_000;

/// The secrets of a page of one account, as the statement says.
const OF_ACCOUNT: usize = 10_000;

/// What was read of a page.
#[derive(Default)]
pub(super) struct PageRead {
    /// The change that proves the position, and the newest one; `None` if the trail has no change.
    pub(super) place: Option<(TrailPlace, TrailPlace)>,
    reader: SecretReader,
    secrets: Vec<FeedSecret>,
    rows: usize,
    is_last: bool,
}

impl PageRead {
    fn read_row(&mut self, row: &dyn Columns) -> Result<(), StoreError> {
        if self.rows == 0 {
            self.read_place(row)?;
        }
        self.rows += 1;
        self.secrets.extend(self.reader.secret(row)?);
        Ok(())
    }

    fn read_place(&mut self, row: &dyn Columns) -> Result<(), StoreError> {
        if row::optional_number(row, "sequence")?.is_some() {
            self.place = Some((TrailPlace::read_alone(row)?, TrailPlace::latest(row)?));
        }
        Ok(())
    }

    /// Reads the one row of a packed page; `None` if a column has a value of an unexpected type.
    fn of_packed(row: &dyn Columns) -> Option<Self> {
        let text = row.text("secrets").ok()??;
        let packed: Vec<PackedSecret<'_>> = serde_json::from_str(&text).ok()?;
        let mut read = Self { is_last: packed.len() < OF_SQLITE, ..Self::default() };
        read.read_place(row).ok()?;
        read.secrets.reserve(packed.len());
        for secret in &packed {
            read.secrets.extend(read.reader.secret(secret).ok()?);
        }
        Some(read)
    }

    pub(super) fn into_page(self, latest: FeedPosition) -> FeedPage {
        let Self { mut secrets, is_last, .. } = self;
        // Joins may change the order.
        secrets.sort_unstable_by_key(|secret| *secret.digest.as_bytes());
        FeedPage { secrets, is_last, latest }
    }
}

impl SqlStore {
    /// Reads the page behind a digest, within the timeout of a change.
    pub(super) async fn read_page(
        &self,
        position: FeedPosition,
        after: Vec<u8>,
    ) -> Result<PageRead, StoreError> {
        let asked = |sql| Statement::new(sql).bind(from(position)).bind(after.clone());
        match self.dialect {
            Dialect::Postgres => {
                self.read_streamed(asked(&self.queries.page_of_postgres), OF_POSTGRES).await
            }
            Dialect::Sqlite => {
                let limit = self.settings.change_timeout;
                let packed = asked(&self.queries.packed_page_of_sqlite);
                if let Ok(rows) = self.read_within(packed, limit).await
                    && let Some(read) = unpack(rows).await
                {
                    return Ok(read);
                }
                // JSON holds no bytes. A broken row may have some where text belongs, and fails the statement. Row by
                // row it is the error of its secret alone.
                self.read_rows(asked(&self.queries.page_of_sqlite), OF_SQLITE).await
            }
        }
    }

    /// Reads the page of an account behind a digest, within the timeout of a change.
    pub(super) async fn read_page_of_account(
        &self,
        account: AccountId,
        position: FeedPosition,
        after: Vec<u8>,
    ) -> Result<PageRead, StoreError> {
        let asked = Statement::new(&self.queries.page_of_account);
        let asked = asked.bind(from(position)).bind(after).bind(account.as_str());
        match self.dialect {
            Dialect::Postgres => self.read_streamed(asked, OF_ACCOUNT).await,
            Dialect::Sqlite => self.read_rows(asked, OF_ACCOUNT).await,
        }
    }

    async fn read_rows(&self, asked: Statement, most: usize) -> Result<PageRead, StoreError> {
        let mut read = PageRead::default();
        for row in self.read_within(asked, self.settings.change_timeout).await? {
            read.read_row(&*row)?;
        }
        read.is_last = read.rows < most;
        Ok(read)
    }

    /// Reads a page while PostgreSQL sends it. The server's own timeout of a lookup would end the statement, so it gets
    /// a transaction with a longer one.
    async fn read_streamed(&self, asked: Statement, most: usize) -> Result<PageRead, StoreError> {
        let read = Arc::new(Mutex::new(Ok(PageRead::default())));
        let filled = Arc::clone(&read);
        let mut session = self.transaction().await?;
        let each = move |row: &dyn Columns| {
            let mut read = filled.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(page) = &mut *read
                && let Err(error) = page.read_row(row)
            {
                *read = Err(error);
            }
        };
        session.fetch_each(asked, Box::new(each)).await?;
        session.commit().await?;
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = std::mem::replace(&mut *read, Ok(PageRead::default()))?;
        read.is_last = read.rows < most;
        Ok(read)
    }
}

/// Reads a packed page on a thread where it holds up no request.
async fn unpack(rows: Vec<Row>) -> Option<PageRead> {
    let unpacking = tokio::task::spawn_blocking(move || PageRead::of_packed(&**rows.first()?));
    unpacking.await.ok()?
}
