//! A reload takes over the front door and the routes of one file together.

use std::fs;

use gateway::{FrontDoor, Gateway};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::process::Folder;
use crate::raw;
use crate::site::settings;

/// As long as the gateway's part is not in force, the front door of the new file decides nothing.
#[tokio::test]
async fn gate_and_routes_change_together() {
    let folder = Folder::new("swap");
    let key = folder.issue().await;
    let (upstream, _received) = raw::upstream(raw::OK).await;
    let table = |address: &str| {
        format!(
            "[[gateway.listeners]]\naddress = '127.0.0.1:0'\n\
             [gateway.upstreams.backend]\naddresses = ['{address}']\n\
             [[gateway.routes]]\npath = '/'\nupstream = 'backend'\n"
        )
    };
    let good = table(&upstream.to_string());
    let write = |top: &str| {
        let store = folder.file("keys.db");
        let file = format!(
            "{top}\n[profile]\nbase = 'standard'\n[store]\nurl = 'sqlite:{store}'\n\
             [trusted_proxies]\nnetworks = ['127.0.0.0/8']\nheaders = 'x_forwarded'\n{good}"
        );
        fs::write(folder.file("gateway.toml"), file).unwrap();
    };
    write("");
    let door = gateway::open(folder.file("gateway.toml").as_ref()).await.unwrap();
    let mut gateway = Gateway::start(settings(&good), FrontDoor::live(&door)).await.unwrap();
    let address = gateway.addresses()[0];
    let status = async || {
        let message = format!(
            "GET /a HTTP/1.1\r\nHost: a\r\nX-Api-Key: {key}\r\nX-Forwarded-Proto: https\r\n\
             X-Forwarded-For: 192.0.2.1\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(message.as_bytes()).await.unwrap();
        raw::status(&raw::read_message(&mut stream).await)
    };
    assert_eq!(status().await, 200);
    write("otherwise = 'deny'");
    assert!(door.reload().await.unwrap());
    assert_eq!(status().await, 200, "the gateway has not taken it over");
    gateway.reload(settings(&table("me@x:1"))).unwrap_err();
    assert_eq!(status().await, 200, "the old file stays in force");
    gateway.reload(settings(&good)).unwrap();
    assert_eq!(status().await, 403);
    // In one step, both parts come from the file, or neither.
    write("");
    assert!(gateway.follow(&door, false).await.unwrap());
    assert_eq!(status().await, 200);
    assert!(!gateway.follow(&door, false).await.unwrap(), "nothing has changed");
    write("otherwise = 'deny'\nunknown = 1");
    gateway.follow(&door, false).await.unwrap_err();
    assert!(!door.reload().await.is_ok_and(|changed| changed));
    assert_eq!(status().await, 200);
}
