//! Tests a batch whose commit was made, though its answer never came.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower_api_key::decision::RequestDecision::Admitted;
use tower_api_key::usage::{UsageBatch, UsageSink};
use tower_api_key_sqlx::SqlStore;

use super::support::{cell, lines, year};
use crate::postgres::{Postgres, url_at};

/// Relays connections to a server. Closes a connection as soon as the server has answered its `COMMIT`, and passes that
/// answer to no one. Only the first commits are lost.
async fn loses_commits(server: u16, lost: Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            tokio::spawn(relay(client, server, Arc::clone(&lost)));
        }
    });
    port
}

async fn relay(mut client: TcpStream, mut server: TcpStream, lost: Arc<AtomicUsize>) {
    let (mut sent, mut received) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Ok(length @ 1..) = read else { return };
                // A transaction begins with the words READ COMMITTED.
                let commits = sent[..length].windows(7).any(|text| text == b"COMMIT\0");
                if server.write_all(&sent[..length]).await.is_err() {
                    return;
                }
                let one_less = |left: usize| left.checked_sub(1);
                if commits && lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                    let _ = server.read(&mut received).await;
                    return;
                }
            }
            read = server.read(&mut received) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&received[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_counts_once_if_the_answer_of_its_commit_is_lost() {
    let Some(server) = Postgres::start() else { return };
    let direct = SqlStore::connect(server.url()).await.unwrap();
    let lost = Arc::new(AtomicUsize::new(0));
    let port = loses_commits(server.port(), Arc::clone(&lost)).await;
    let store = SqlStore::connect(&url_at(port)).await.unwrap();
    for sequence in 1..=3 {
        lost.store(2, Ordering::SeqCst);
        let batch = UsageBatch::new([1; 16], sequence, [cell(0, "acme_1", "/a", Admitted, 10)], []);
        let mut failures = 0;
        while store.write(&batch).await.is_err() {
            failures += 1;
            // The batch was written already.
            let all = (sequence * 10).to_string();
            assert_eq!(lines(&direct, year().key("acme_1")).await, [all]);
        }
        assert_eq!(failures, 2);
    }
    assert_eq!(lines(&direct, year()).await, ["30"]);
}
