//! What the download tests share: a web server on this machine that fails on demand, and small manifests that point at
//! it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unreachable_pub, missing_docs)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// A request as the server saw it, and how much it sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub path: String,
    /// The first byte asked for by a Range header.
    pub range: Option<usize>,
    /// How many requests for this path came before.
    pub nth: usize,
    pub sent: usize,
}

/// What to answer.
#[derive(Default)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    /// Close the connection after this many bytes of the body, having promised more.
    pub cut: Option<usize>,
    /// Wait before closing the connection.
    pub hold: Duration,
    pub ignore_range: bool,
    pub header: &'static str,
}

impl Reply {
    pub fn file(body: &[u8]) -> Reply {
        Reply { status: 200, body: body.to_vec(), ..Reply::default() }
    }

    pub fn status(status: u16) -> Reply {
        Reply { status, body: b"sorry".to_vec(), ..Reply::default() }
    }
}

pub struct Server {
    pub url: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves on a free port until the test program ends.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let server = Server { url, log: log.clone() };
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (log.clone(), answer.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &log, &*answer));
            }
        });
        server
    }

    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap().to_string();
    let mut range = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(bytes) = line.to_lowercase().strip_prefix("range: bytes=") {
            range = Some(bytes.trim_end_matches('-').parse().unwrap());
        }
    }
    let (request, at) = {
        let mut log = log.lock().unwrap();
        let nth = log.iter().filter(|earlier| earlier.path == path).count();
        log.push(Request { path, range, nth, sent: 0 });
        (log.last().unwrap().clone(), log.len() - 1)
    };
    let reply = answer(&request);
    let from = range.filter(|_| reply.status == 200 && !reply.ignore_range);
    let mut head = match from {
        Some(from) if from >= reply.body.len() => "HTTP/1.1 416 x\r\nContent-Length: 0\r\n".to_string(),
        Some(from) => {
            let (length, all) = (reply.body.len() - from, reply.body.len());
            format!("HTTP/1.1 206 x\r\nContent-Length: {length}\r\nContent-Range: bytes {from}-{}/{all}\r\n", all - 1)
        }
        None => format!("HTTP/1.1 {} x\r\nContent-Length: {}\r\n", reply.status, reply.body.len()),
    };
    head.push_str(reply.header);
    head.push_str("Connection: close\r\n\r\n");
    let body = reply.body.get(from.unwrap_or(0)..).unwrap_or_default();
    let body = &body[..reply.cut.unwrap_or(body.len()).min(body.len())];
    // Noted first, so that a test that has its answer also finds it in the log.
    log.lock().unwrap()[at].sent = body.len();
    // The client may have hung up; that is its right.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).and_then(|()| stream.flush());
    std::thread::sleep(reply.hold);
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that look like a file: no two places alike.
pub fn payload(n: usize) -> Vec<u8> {
    (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// A manifest of one dataset `demo` with the given `[[dataset.file]]` tables.
pub fn manifest(files: &[String]) -> String {
    let head = "[[dataset]]\nname = \"demo\"\ntitle = \"a demonstration\"\nlicence = \"CC0-1.0\"\n\
                licence_url = \"https://example.org\"\ncredit = \"nobody\"\nlayout = \"flat\"\n";
    format!("{head}{}", files.concat())
}

/// A `[[dataset.file]]` table; `more` are further lines of it.
pub fn file(name: &str, sources: &[String], contents: &[u8], more: &str) -> String {
    let (bytes, sha256) = (contents.len(), sha256(contents));
    let table = format!("[[dataset.file]]\nname = \"{name}\"\nsources = {sources:?}\nbytes = {bytes}\n");
    format!("{table}sha256 = \"{sha256}\"\n{more}\n")
}

/// A gzipped tar archive. A header is filled in by hand, as the writer refuses the names that a hostile archive has.
pub fn tgz(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    for (name, kind, contents) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        archive.append(&header, *contents).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, contents) in entries {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(contents).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The names in a folder and below it, sorted, without the lock file.
pub fn tree(folder: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(next) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with(".lock") {
                names.push(name);
            }
        }
    }
    names.sort();
    names
}
