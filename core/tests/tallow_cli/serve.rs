//! `tallow serve`: the page, the interface for programs, and those who mean harm.
#![cfg(feature = "serve")]

use crate::{shoes, tallow};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tallow::vision::Image;
use test_support::{Browser, Tab};

/// A server at work, stopped when the test ends.
pub(crate) struct Serving {
    process: Child,
    address: String,
    /// What stands behind the address.
    pub(crate) fragment: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) code: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }
}

impl Serving {
    fn start(folder: &Path, more: &[&str]) -> Serving {
        Serving::of(folder, &[&["serve", "run", "--port", "0"], more].concat())
    }

    /// A command that prints its address first.
    pub(crate) fn of(folder: &Path, args: &[&str]) -> Serving {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tallow"));
        command.args(args).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::null());
        command.env_remove("TALLOW_DEVICE").env_remove("TALLOW_TOKEN");
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_once("http://").expect(&line).1.split_whitespace().next().unwrap();
        let (address, fragment) = url.split_once("/#").unwrap_or((url, ""));
        Serving { process, address: address.into(), fragment: fragment.into() }
    }

    /// The page's address, with what stands behind its `#`.
    pub(crate) fn url(&self, wish: &str) -> String {
        format!("http://{}/#{wish}", self.address)
    }

    /// The name and the port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends a request with these lines in its head.
    pub(crate) fn send(&self, request: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let has_host = headers.iter().any(|header| header.to_lowercase().starts_with("host:"));
        let mut head = format!("{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !has_host {
            head += &format!("Host: {}\r\n", self.address);
        }
        headers.iter().for_each(|header| head += &format!("{header}\r\n"));
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // A refusal may come, and the connection end, before all was sent.
        let _ = stream.write_all(body);
        answer(stream)
    }

    pub(crate) fn predict(&self, body: &[u8]) -> Answer {
        self.send("POST /api/predict", &[], body)
    }
}

fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { code, head, body: bytes[end + 4..].to_vec() }
}

/// A folder with a model of shoes in `run`, and one photo.
pub(crate) fn model() -> (tempfile::TempDir, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let files = shoes(&dir.path().join("shoes"), 20);
    let trained = tallow(&["train", "shoes", "--out", "run", "--size", "64", "--head-epochs", "1"], dir.path());
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let photo = fs::read(&files[0]).unwrap();
    (dir, photo)
}

/// The head of a PNG of so many pixels, and no pixel behind it.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    drop(png::Encoder::new(&mut bytes, width, height).write_header().unwrap());
    bytes.truncate(33);
    bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    bytes
}

#[test]
fn programs_and_people_are_answered_and_nobody_else() {
    let (dir, photo) = model();
    let here = dir.path();
    let options = ["--examples", "shoes", "--similar", "shoes", "--max-megabytes", "1", "--timeout", "2"];
    let serving = Serving::start(here, &options);

    // The same as on the command line, as a body and as a form.
    let said = tallow(&["predict", "run", "shoes/Sneaker/000.png", "--top", "2", "--json"], here).stdout;
    let said: Value = serde_json::from_str(&said).unwrap();
    let raw = serving.predict(&photo);
    assert_eq!(raw.code, 200, "{}", String::from_utf8_lossy(&raw.body));
    assert_eq!(raw.json()["classes"], said["classes"]);
    assert_eq!(raw.json()["model"], "run");
    let form = [
        b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--x\r\nContent-Disposition: form-data; \
          name=\"image\"; filename=\"../../a.png\"\r\nContent-Type: image/png\r\n\r\n"
            .as_slice(),
        &photo,
        b"\r\n--x--\r\n",
    ]
    .concat();
    let form = serving.send("POST /api/predict?top=1", &["Content-Type: multipart/form-data; boundary=x"], &form);
    assert_eq!(form.json()["classes"], serde_json::json!([said["classes"][0]]));
    let explained = serving.send("POST /api/explain?model=run", &["Content-Type: image/png"], &photo);
    assert!(explained.code == 200 && explained.body.starts_with(b"\x89PNG"), "{}", explained.head);

    let alike = serving.send("POST /api/similar?top=3", &[], &photo).json();
    let (first, n) = (&alike["images"][0], alike["images"].as_array().unwrap().len());
    assert_eq!((&first["file"], n), (&"Sneaker/000.png".into(), 3), "{alike}");
    assert!(first["cosine"].as_f64().unwrap() > 0.9999 && first["png"].as_str().unwrap().starts_with("iVBOR"));

    // What is wrong is said, with its code.
    let huge = vec![0; 1 << 21];
    for (code, request, headers, body, words) in [
        (400, "POST /api/predict", &[][..], &b""[..], "is empty"),
        (422, "POST /api/predict", &[], b"no picture", "picture"),
        (422, "POST /api/predict", &[], &photo[..photo.len() / 2], "picture"),
        (413, "POST /api/predict", &[], &bomb(100_000, 100_000), "pixels"),
        (413, "POST /api/predict", &[], &huge, "more than 1 MB"),
        (415, "POST /api/predict", &["Content-Type: text/html"], &photo, "text/html"),
        (400, "POST /api/predict?k=1", &[], &photo, "unknown field"),
        (404, "POST /api/predict?model=../run", &[], &photo, "there are: run"),
        (405, "GET /api/predict", &[], b"", "POST"),
        (404, "GET /../../../etc/passwd", &[], b"", "nothing here"),
        (404, "GET /api/examples/99", &[], b"", "no such example"),
        (403, "POST /api/predict", &["Host: evil.example"], &photo, "name"),
        (403, "POST /api/predict", &["Origin: http://evil.example"], &photo, "other sites"),
        (403, "GET /", &["Host: rebound.example:8080"], b"", "name"),
    ] {
        let refused = serving.send(request, headers, body);
        assert_eq!(refused.code, code, "{request} {headers:?}: {}", String::from_utf8_lossy(&refused.body));
        let error = refused.json()["error"].as_str().unwrap().to_string();
        assert!(error.contains(words), "{request}: {error}");
    }
    // A body that never comes ends in time, and so does a head.
    let mut slow = serving.connect();
    write!(slow, "POST /api/predict HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\n\r\nx", serving.address).unwrap();
    let mut silent = serving.connect();
    write!(silent, "GET / HTTP/1.1\r\n").unwrap();
    let started = Instant::now();
    assert_eq!(answer(slow).code, 408);
    let _ = silent.read_to_end(&mut Vec::new());
    assert!(started.elapsed() < Duration::from_secs(10));

    // All of that harmed nobody.
    assert_eq!(serving.predict(&photo).json()["classes"], said["classes"]);
    let page = serving.send("GET /", &[], b"");
    for header in ["default-src 'none'", "nosniff", "frame-ancestors 'none'", "no-store"] {
        assert!(page.head.contains(header), "no `{header}` in {}", page.head);
    }
    let page = String::from_utf8(page.body).unwrap();
    assert!(!page.contains("http://") || page.matches("http://").count() == 1, "only the example of curl");
    let spec = serving.send("GET /openapi.json", &[], b"").json();
    for path in [
        "/api/predict",
        "/api/explain",
        "/api/mask",
        "/api/similar",
        "/api/find",
        "/api/models",
        "/api/examples/{number}",
        "/healthz",
        "/metrics",
    ] {
        assert!(spec["paths"][path].is_object(), "{path}");
    }
    assert_eq!(serving.send("GET /healthz", &[], b"").body, b"ok\n");
    let metrics = String::from_utf8(serving.send("GET /metrics", &[], b"").body).unwrap();
    for line in ["tallow_responses_total{code=\"413\"} 2", "tallow_responses_total{code=\"408\"} 1"] {
        assert!(metrics.contains(line), "no `{line}` in {metrics}");
    }
    browser(dir.path(), &serving);
    stops_in_time(serving);
}

/// In a browser, if there is one: all ways to bring a photo, and what cannot be looked at.
fn browser(folder: &Path, serving: &Serving) {
    let Some(browser) = Browser::start(folder) else { return };
    let ready = |page: &Tab| page.wait("!document.querySelector('#image').hidden");
    // What the page says once it does not look any more: of a photo its class, or what is wrong.
    let told = |page: &Tab| {
        page.wait("!document.querySelector('#status').textContent.startsWith('Looking')");
        match page.value("document.querySelector('#result').hidden") == true {
            true => page.text("#status"),
            false => page.text("#class"),
        }
    };
    let [sneaker, boot] = ["Sneaker", "Ankle boot"].map(|class| folder.join("shoes").join(class).join("000.png"));
    let (text, large) = (folder.join("text.png"), folder.join("large.png"));
    fs::write(&text, "no picture").unwrap();
    fs::write(&large, vec![b'x'; 2 << 20]).unwrap();
    for (width, dark) in [(900, false), (380, true)] {
        let page = browser.open(&serving.url("example=0&where&like"), width, dark);
        page.wait("document.querySelectorAll('#alike img').length === 8");
        assert_eq!(page.value("document.querySelectorAll('#bars progress').length"), 2);
        assert_eq!(page.value("document.querySelector('#heat').hidden"), false);
        assert!(page.value("document.querySelectorAll('#examples button').length").as_u64() >= Some(10));
        page.choose_file("#file", &sneaker);
        assert_eq!(told(&page), "Sneaker");
        assert_eq!(page.value("document.querySelector('#heat').hidden"), true, "that was of another photo");
        page.click("#where");
        page.wait("!document.querySelector('#heat').hidden");
        page.choose_file("#file", &text);
        assert!(told(&page).starts_with("the picture is of a kind that cannot be read"), "{}", told(&page));
        page.choose_file("#file", &large);
        assert!(told(&page).contains("more than 1 MB"), "{}", told(&page));
        page.hand_over("paste", "body", &boot, "image/png");
        assert_eq!(told(&page), "Ankle boot");
        page.hand_over("paste", "body", &text, "text/plain");
        page.wait("document.querySelector('#status').textContent === 'there is no image to paste'");
        page.hand_over("drop", "#drop", &sneaker, "image/png");
        assert_eq!(told(&page), "Sneaker");
        page.value("document.querySelector('#drop').focus()");
        page.choose_file_in_window(&boot, || page.press("Enter"));
        assert_eq!(told(&page), "Ankle boot");
        let other = browser.open(&serving.url(""), width, dark);
        ready(&other);
        other.choose_file("#file", &sneaker);
        assert_eq!((told(&other).as_str(), told(&page).as_str()), ("Sneaker", "Ankle boot"), "two tabs");
        other.reload();
        ready(&other);
        assert_eq!(other.value("document.querySelector('#result').hidden"), true, "nothing is kept");
        assert!(!page.scrolls_sideways() && !other.scrolls_sideways());
        assert_eq!([page.complaints(), other.complaints()].concat(), [""; 0]);
    }
}

/// Asked to stop, it ends well.
#[cfg(unix)]
fn stops_in_time(mut serving: Serving) {
    Command::new("kill").args(["-TERM", &serving.process.id().to_string()]).status().unwrap();
    let started = Instant::now();
    let ended = loop {
        match serving.process.try_wait().unwrap() {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
        assert!(started.elapsed() < Duration::from_secs(10), "it does not stop");
    };
    assert!(ended.success(), "{ended}");
}

#[cfg(not(unix))]
fn stops_in_time(_: Serving) {}

#[test]
fn a_token_is_asked_for_and_a_full_queue_says_when_to_come_again() {
    let (dir, photo) = model();
    let serving = Serving::start(dir.path(), &["--token", "open sesame", "--queue", "1", "--batch", "1"]);
    for headers in [&[][..], &["Authorization: Bearer open"], &["Authorization: open sesame"]] {
        for request in ["POST /api/predict", "GET /api/models", "GET /metrics"] {
            assert_eq!(serving.send(request, headers, &photo).code, 401, "{request} {headers:?}");
        }
    }
    let token = "Authorization: Bearer open sesame";
    assert_eq!(serving.send("POST /api/predict", &[token], &photo).code, 200);
    // An image that takes long to read, so that the queue is full on any machine.
    let large = dir.path().join("large.png");
    Image::from_fn(2400, 1600, |x, y| [(x * y) as u8, x as u8, y as u8]).unwrap().save(&large).unwrap();
    let large = fs::read(large).unwrap();
    // Many at once: those who find no place hear when to come again, and all others are answered.
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let ask = || serving.send("POST /api/explain", &[token], &large);
        let asking: Vec<_> = (0..40).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.code == 200);
    assert!(!served.is_empty() && !refused.is_empty(), "{} of 40 were served", served.len());
    assert!(refused.iter().all(|answer| answer.code == 429 && answer.head.contains("retry-after: 1")));
    // A client that leaves at once takes nobody's place for long.
    for _ in 0..20 {
        let mut stream = serving.connect();
        write!(stream, "POST /api/predict HTTP/1.1\r\nHost: {}\r\n{token}\r\n", serving.address).unwrap();
        write!(stream, "Content-Length: {}\r\n\r\n", photo.len()).unwrap();
        stream.write_all(&photo).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(serving.send("POST /api/predict", &[token], &photo).code, 200);
}
