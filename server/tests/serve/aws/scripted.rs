//! A Secrets Manager that says what moto does not.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use serde_json::Value;

/// What a server answers to `action` and body: a status and a body.
pub(super) type Says = dyn Fn(&str, &Value) -> (u16, Value) + Send;

/// A Secrets Manager that says this, until it is dropped.
pub(super) struct Scripted {
    pub(super) address: String,
    over: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Scripted {
    pub(super) fn start(says: Box<Says>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let serving = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut action, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let Some((name, value)) = line.trim().split_once(": ") else {
                        if line.trim().is_empty() {
                            break;
                        }
                        continue;
                    };
                    match name.to_ascii_lowercase().as_str() {
                        "x-amz-target" => {
                            value.strip_prefix("secretsmanager.").unwrap().clone_into(&mut action);
                        }
                        "content-length" => length = value.parse().unwrap(),
                        _ => {}
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let (status, answer) = says(&action, &serde_json::from_slice(&body).unwrap());
                let answer = answer.to_string();
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                    answer.len()
                )
                .unwrap();
            }
        });
        Self { address, over, serving: Some(serving) }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        TcpStream::connect(&self.address).ok();
        if let Some(serving) = self.serving.take() {
            serving.join().ok();
        }
    }
}
