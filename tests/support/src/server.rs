//! A web server on this machine that fails on demand: what is answered, and when, a test decides.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as the server saw it, and how much it sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `GET`, `HEAD`.
    pub method: String,
    /// The address without the server.
    pub path: String,
    /// The first byte asked for by a Range header, and the last, if it has one.
    pub range: Option<(usize, Option<usize>)>,
    /// The Authorization header.
    pub authorization: Option<String>,
    /// How many requests with this method and path came before.
    pub nth: usize,
    /// How many bytes of a body were sent.
    pub sent: usize,
}

/// What to answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The status; 200 becomes 206 or 416 where a range was asked for.
    pub status: u16,
    /// Lines of the head, each with its end.
    pub headers: String,
    /// The body, of which the range is sent.
    pub body: Vec<u8>,
    /// Close the connection after this many bytes of the body, having promised more.
    pub cut: Option<usize>,
    /// Wait before answering.
    pub delay: Duration,
    /// Wait before closing the connection.
    pub hold: Duration,
    /// Send all, whatever the range.
    pub ignore_range: bool,
    /// Wait so long after each byte of the body.
    pub drip: Option<Duration>,
}

impl Reply {
    /// A file.
    pub fn file(body: &[u8]) -> Reply {
        Reply { status: 200, body: body.to_vec(), ..Reply::default() }
    }

    /// A status, with a body that nobody needs.
    pub fn status(status: u16) -> Reply {
        Reply { status, body: b"sorry".to_vec(), ..Reply::default() }
    }

    /// JSON.
    pub fn json(body: &str) -> Reply {
        Reply::file(body.as_bytes()).header("Content-Type", "application/json")
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }
}

/// A running server.
pub struct Server {
    /// Its address, without a slash at the end.
    pub url: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves on a free port until the test program ends.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
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

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

/// What is read of a request: all but its answer.
fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let first = reader.by_ref().lines().next()?.ok()?;
    let (method, rest) = first.split_once(' ').unwrap();
    let path = rest.split(' ').next().unwrap().to_string();
    let (mut range, mut authorization, mut length) = (None, None, 0);
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        match &*name.to_lowercase() {
            "range" => {
                let (from, to) = value.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                range = Some((from.parse().unwrap(), to.parse().ok()));
            }
            "authorization" => authorization = Some(value.to_string()),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap();
    Some(Request { method: method.to_string(), path, range, authorization, nth: 0, sent: 0 })
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) {
    let Some(mut request) = read(&stream) else { return };
    let at = {
        let mut log = log.lock().unwrap();
        let same = |earlier: &&Request| earlier.path == request.path && earlier.method == request.method;
        request.nth = log.iter().filter(same).count();
        log.push(request.clone());
        log.len() - 1
    };
    let reply = answer(&request);
    std::thread::sleep(reply.delay);
    let all = reply.body.len();
    let (status, body, more) = match request.range.filter(|_| reply.status == 200 && !reply.ignore_range) {
        Some((from, _)) if from >= all => (416, vec![], format!("Content-Range: bytes */{all}\r\n")),
        Some((from, to)) => {
            let to = to.map_or(all - 1, |to| to.min(all - 1));
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
    // Noted first, so that a test that has its answer also finds it in the log.
    log.lock().unwrap()[at].sent = body.len();
    // The client may have hung up; that is its right.
    let mut send = |bytes: &[u8]| stream.write_all(bytes).and_then(|()| stream.flush());
    let _ = send(head.as_bytes()).and_then(|()| match reply.drip {
        None => send(body),
        Some(pause) => body.iter().try_for_each(|&byte| {
            std::thread::sleep(pause);
            send(&[byte])
        }),
    });
    std::thread::sleep(reply.hold);
}
