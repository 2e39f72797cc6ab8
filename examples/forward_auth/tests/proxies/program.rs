//! The program itself, with its file, over a Unix socket behind nginx.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use forward_auth::Proxy;

use crate::client::plain;
use crate::proxy::{self, Running};
use crate::upstream::Upstream;

/// The program and its folder, which end with the test.
struct Program {
    process: Child,
    folder: PathBuf,
}

impl Program {
    fn start(name: &str, file: impl Fn(&PathBuf) -> String) -> Self {
        let folder =
            std::env::temp_dir().join(format!("forward-auth-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("forward-auth.toml"), file(&folder)).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_forward-auth"));
        program.arg(folder.join("forward-auth.toml")).stdin(Stdio::null());
        let process = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { process, folder }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn the_program_answers_over_a_unix_socket_and_ends_when_asked() {
    let Some(nginx) = proxy::program(Proxy::Nginx) else { return };
    let Some(upstream) = Upstream::start() else { return };
    let table = "[forward_auth]\nproxy = \"nginx\"\nlisten = ";
    let mut program =
        Program::start("unix", |folder| format!("{table}\"unix:{}/socket\"\n", folder.display()));
    let mut lines = BufReader::new(program.process.stdout.take().unwrap()).lines();
    let socket = lines.next().unwrap().unwrap().replace("listening on ", "");
    let key = lines.next().unwrap().unwrap().replace("a key to try: ", "");
    let file = socket.strip_prefix("unix:").unwrap();
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    // If root starts nginx, its workers belong to a user of their own.
    fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = [&*made.cert.pem(), &*made.signing_key.serialize_pem()];
    // TLS ends at another proxy, in front of nginx.
    let behind_tls =
        |text: String| text.replace("X-Forwarded-Proto $scheme", "X-Forwarded-Proto https");
    let running =
        Running::start(Proxy::Nginx, &nginx, &socket, upstream.address, certificate, behind_tls);
    let running = running.await;
    for (key, status) in [(&*key, 200), ("key_test_unknown", 401)] {
        let request = format!(
            "GET /v1/users HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Api-Key: {key}\r\n\r\n"
        );
        let answer = plain("127.0.0.2", running.plain, request.as_bytes()).await;
        assert_eq!(answer.status, status, "{answer:?}\n{}", running.log());
    }
    assert!(Command::new("kill").arg(program.process.id().to_string()).status().unwrap().success());
    assert!(program.process.wait().unwrap().success());
}

#[test]
fn a_wrong_file_is_refused_with_its_line() {
    for (file, said) in [
        ("[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"apache\"\n", "line 3"),
        (
            "[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"envoy\"\npath = \"check\"\n",
            "slash",
        ),
        ("[forward_auth]\nlisten = \"unix:/etc/hostname\"\nproxy = \"nginx\"\n", "in use"),
    ] {
        let mut program = Program::start("wrong", |_| file.to_owned());
        assert!(!program.process.wait().unwrap().success(), "{file}");
        let said_it = std::io::read_to_string(program.process.stderr.take().unwrap()).unwrap();
        assert!(said_it.to_lowercase().contains(said), "{file}: {said_it}");
    }
    assert!(std::path::Path::new("/etc/hostname").exists());
}
