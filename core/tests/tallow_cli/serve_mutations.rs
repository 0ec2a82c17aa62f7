//! `tallow serve` and requests that a program has damaged: every one is answered or refused, none is an error of ours,
//! and the server goes on.
#![cfg(feature = "serve")]

use crate::serve::{Serving, model};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::Shutdown;

/// A stream of random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }
}

/// What breaks readers of HTTP and of forms.
const WORDS: [&[u8]; 24] = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"--x\r\n",
    b"--x--",
    b"; name=\"image\"",
    b"; filename*=utf-8''%00",
    b"Content-Length: 0\r\n",
    b"Content-Length: 18446744073709551616\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b"Content-Type: image/png\r\n",
    b"Content-Type: multipart/form-data; boundary=",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
    b"Connection: close\r\n",
    b"?top=99999999999999999999",
    b"%00%ff",
    b"\xff\xfe\x80",
];

fn damaged(requests: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = requests[random.below(requests.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        // Most of a request is its picture, which other tests damage: the head is hit more often.
        let at = if random.below(3) > 0 { at.min(random.below(300)) } else { at };
        let to = (at + random.below(40)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..to)),
            2 => drop(bytes.splice(at..at, bytes[at..to].to_vec())),
            3 => bytes.truncate(at.max(1)),
            _ => drop(bytes.splice(at..at, WORDS[random.below(WORDS.len())].iter().copied())),
        }
    }
    bytes
}

/// `TALLOW_REQUESTS=100000` asks for so many.
#[test]
fn damaged_requests_are_answered_or_refused() {
    let (dir, photo) = model();
    let serving = Serving::of(dir.path(), &["serve", "run", "--port", "0", "--max-megabytes", "1", "--timeout", "2"]);
    let request = |first: &str, headers: &str, body: &[u8]| {
        let length = body.len();
        let head =
            format!("{first} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {length}\r\n\r\n", serving.address());
        [head.as_bytes(), body].concat()
    };
    let form = b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--x\r\nContent-Disposition: \
                 form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n";
    let form = [&form[..], &photo, b"\r\n--x--\r\n"].concat();
    let chunked = [format!("{:x}\r\n", photo.len()).as_bytes(), &photo, b"\r\n0\r\n\r\n"].concat();
    let head =
        format!("POST /api/predict HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n", serving.address());
    let requests = [
        request("POST /api/predict?top=2&model=run", "Content-Type: image/png\r\n", &photo),
        request("POST /api/predict", "Content-Type: multipart/form-data; boundary=x\r\n", &form),
        request("POST /api/explain", "Content-Type: application/octet-stream\r\n", &photo),
        request("POST /api/predict", "Content-Type: application/json\r\n", b"{\"text\": \"x\"}"),
        request("GET /api/models", "", b""),
        [head.as_bytes(), &chunked].concat(),
    ];
    let wanted = std::env::var("TALLOW_REQUESTS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let mut random = Random(26);
    let mut codes: BTreeMap<u16, usize> = BTreeMap::new();
    for _ in 0..wanted {
        let request = damaged(&requests, &mut random);
        let mut stream = serving.connect();
        // What it does not want to read to the end it may refuse before.
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let code = answer.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok()).unwrap_or(0);
        let text = String::from_utf8_lossy(&answer[..answer.len().min(300)]).into_owned();
        let is_fine = matches!(code, 0 | 100 | 200 | 400..=431) && (code == 0 || text.starts_with("HTTP/1."));
        assert!(is_fine, "{text} to {:?}", String::from_utf8_lossy(&request[..request.len().min(600)]));
        *codes.entry(code).or_default() += 1;
    }
    eprintln!("{wanted} damaged requests; answers by code, 0 for none: {codes:?}");
    assert!(codes.len() > 4 && codes[&200] > 0, "{codes:?}");
    assert_eq!(serving.predict(&photo).code, 200);
}
