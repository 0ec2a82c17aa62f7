//! A server that speaks as the Hugging Face Hub does: `resolve` sends on to a second server, as the Hub does to its content
//! network; the rest is JSON. What fails, and when, a test decides.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as a server saw it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The bytes asked for, both ends included.
    pub(crate) range: Option<(usize, usize)>,
    pub(crate) authorization: Option<String>,
    /// How many requests with this method and path came before.
    pub(crate) nth: usize,
}

/// What to answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
    /// Close the connection after this many bytes of the body, having promised more.
    pub(crate) cut: Option<usize>,
    /// Wait before answering.
    pub(crate) hold: Duration,
    /// Send all, whatever the range.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn file(body: &[u8]) -> Reply {
        Reply { status: 200, body: body.to_vec(), ..Reply::default() }
    }

    pub(crate) fn status(status: u16) -> Reply {
        Reply { status, ..Reply::default() }
    }

    pub(crate) fn json(body: &str) -> Reply {
        Reply::file(body.as_bytes()).header("Content-Type", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves on a free port until the test program ends.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log: Arc<Mutex<Vec<Request>>> = Arc::default();
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

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// The ranges of the GET requests, in order.
    pub(crate) fn ranges(&self) -> Vec<(usize, usize)> {
        self.requests().iter().filter(|request| request.method == "GET").filter_map(|request| request.range).collect()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(Ok(first)) = reader.by_ref().lines().next() else { return };
    let (method, rest) = first.split_once(' ').unwrap();
    let path = rest.split(' ').next().unwrap().to_string();
    let (mut range, mut authorization, mut length) = (None, None, 0);
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        match &*name.to_lowercase() {
            "range" => {
                let (from, to) = value.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                range = Some((from.parse().unwrap(), to.parse().unwrap()));
            }
            "authorization" => authorization = Some(value.to_string()),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap();
    let request = {
        let mut log = log.lock().unwrap();
        let nth = log.iter().filter(|earlier| earlier.path == path && earlier.method == method).count();
        log.push(Request { method: method.to_string(), path, range, authorization, nth });
        log.last().unwrap().clone()
    };
    let reply = answer(&request);
    std::thread::sleep(reply.hold);
    let all = reply.body.len();
    let (status, body, more) = match request.range.filter(|_| reply.status == 200 && !reply.whole) {
        Some((from, _)) if from >= all => (416, vec![], format!("Content-Range: bytes */{all}\r\n")),
        Some((from, to)) => {
            let to = to.min(all - 1);
            (206, reply.body[from..=to].to_vec(), format!("Content-Range: bytes {from}-{to}/{all}\r\n"))
        }
        None => (reply.status, reply.body, String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{more}{}Connection: close\r\n\r\n",
        body.len(),
        reply.headers
    );
    let body = if request.method == "HEAD" { &[] } else { &body[..reply.cut.unwrap_or(body.len()).min(body.len())] };
    // The client may have hung up; that is its right.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).and_then(|()| stream.flush());
}

/// The two servers behind a Hub with one file.
pub(crate) struct Hub {
    /// The one that a client is told of.
    pub(crate) hub: Server,
    /// The one that has the bytes.
    pub(crate) network: Server,
}

impl Hub {
    /// Serves `bytes` as `model.safetensors` of `timm/tiny`.
    pub(crate) fn with(bytes: &[u8]) -> Hub {
        Hub::failing(bytes, |_| None, |_| None)
    }

    /// The same, unless `at_hub` or `at_network` say otherwise.
    pub(crate) fn failing(
        bytes: &[u8],
        at_hub: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
        at_network: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Hub {
        let served = bytes.to_vec();
        // As the Hub's network does, this one has other ETags than the Hub, and knows nothing of commits.
        let file = move || Reply::file(&served).header("ETag", "\"e0a1\"").header("Accept-Ranges", "bytes");
        let network = Server::start(move |request| at_network(request).unwrap_or_else(&file));
        let (there, sha256, size) =
            (format!("{}/xet-bridge/e0a1?Policy=x", network.url), super::sha256(bytes), bytes.len());
        let hub = Server::start(move |request| {
            at_hub(request).unwrap_or_else(|| match &*request.path {
                path if path.starts_with("/timm/tiny/resolve/") && path.ends_with("/model.safetensors") => {
                    Reply::status(302)
                        .header("Location", &there)
                        .header("ETag", "\"2f1a\"")
                        .header("X-Linked-ETag", &format!("\"{sha256}\""))
                        .header("X-Linked-Size", &size.to_string())
                        .header("X-Repo-Commit", super::COMMIT)
                        .header("X-Xet-Hash", sha256)
                }
                "/api/models/timm/tiny/revision/main" => {
                    Reply::json(&format!(r#"{{"_id":"1","id":"timm/tiny","sha":"{}"}}"#, super::COMMIT))
                }
                path if path.starts_with("/api/models/timm/tiny/paths-info/") => Reply::json(&format!(
                    r#"[{{"type":"file","oid":"89abcdef0123456789abcdef0123456789abcdef","size":{size},
                         "path":"model.safetensors","lfs":{{"oid":"{sha256}","size":{size},"pointerSize":134}}}}]"#
                )),
                _ => Reply::status(404).header("X-Error-Code", "EntryNotFound"),
            })
        });
        Hub { hub, network }
    }
}

/// Whether a proxy stands between these tests and their servers; they then say so and test nothing.
pub(crate) fn behind_a_proxy() -> bool {
    let set = |name: &str| std::env::var(name).or_else(|_| std::env::var(name.to_lowercase())).unwrap_or_default();
    let spared = set("NO_PROXY");
    let behind = ["HTTP_PROXY", "ALL_PROXY"].iter().any(|name| !set(name).is_empty()) && !spared.contains("127.0.0.1");
    if behind {
        eprintln!("skipped: HTTP_PROXY is set, and NO_PROXY does not name 127.0.0.1");
    }
    behind
}
