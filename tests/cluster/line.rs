//! A line to the API server that can be cut: a relay on loopback that passes TLS through and fails when told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    /// It carries both ways.
    Open,
    /// Nobody answers the door, and open connections are reset.
    Down,
    /// It carries requests and loses the next answer with its connection, then opens again.
    LoseAnswer,
}

/// A line to an API server.
pub(crate) struct Line {
    port: u16,
    mode: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    over: Arc<AtomicBool>,
}

impl Line {
    /// A line to the server of a kubeconfig.
    pub(crate) fn to(kubeconfig: &Path) -> Self {
        let config = read(kubeconfig);
        let server = config["clusters"][0]["cluster"]["server"].as_str().unwrap();
        let target = server.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = Self {
            port: listener.local_addr().unwrap().port(),
            mode: Arc::new(AtomicU8::new(Mode::Open as u8)),
            open: Arc::default(),
            over: Arc::default(),
        };
        let (mode, open, over) = (line.mode.clone(), line.open.clone(), line.over.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                if mode.load(Ordering::SeqCst) == Mode::Down as u8 {
                    continue;
                }
                let server = TcpStream::connect(&target).unwrap();
                open.lock().unwrap().extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                carry(client.try_clone().unwrap(), server.try_clone().unwrap(), None);
                carry(server, client, Some(mode.clone()));
            }
        });
        line
    }

    /// A kubeconfig that leads over this line, in a folder.
    pub(crate) fn kubeconfig(&self, original: &Path, folder: &Path) -> PathBuf {
        let mut config = read(original);
        config["clusters"][0]["cluster"]["server"] = format!("https://127.0.0.1:{}", self.port).into();
        let path = folder.join(format!("line-{}.kubeconfig", self.port));
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// Changes what the line does, at once.
    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
        if mode == Mode::Down {
            for stream in self.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.set(Mode::Down);
        let _ = TcpStream::connect_timeout(&([127, 0, 0, 1], self.port).into(), Duration::from_millis(200));
    }
}

fn read(kubeconfig: &Path) -> serde_json::Value {
    serde_saphyr::from_str(&std::fs::read_to_string(kubeconfig).unwrap()).unwrap()
}

/// Carries one way; `mode` is given for answers.
fn carry(mut from: TcpStream, mut to: TcpStream, mode: Option<Arc<AtomicU8>>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let lose = mode.as_ref().is_some_and(|mode| {
                let (from, to) = (Mode::LoseAnswer as u8, Mode::Open as u8);
                mode.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
            });
            if lose || to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}
