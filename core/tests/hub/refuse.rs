//! Downloads that cannot succeed: no file gets its name, and the message says what was expected, what came, and what to
//! do.

use super::server::{Hub, behind_a_proxy};
use super::{COMMIT, Machine, payload, pinned, sha256, tree, write};
use std::time::{Duration, Instant};
use tallow::Error;
use tallow::models::hub::{HubFile, Token};
use test_support::{Reply, Server};

fn with_status(status: u16, header: (&'static str, &'static str)) -> Machine {
    let (name, value) = header;
    let server = Server::start(move |_| Reply { body: Vec::new(), ..Reply::status(status).header(name, value) });
    Machine::new(&server.url)
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_repository() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let hub = Hub::with(&bytes);
    let machine = Machine::new(&hub.hub.url);
    let message = machine.refusal(&HubFile { file: "weights.bin", ..pinned(&bytes) });
    let url = &hub.hub.url;
    let place = machine.repo().join("snapshots").join(COMMIT).join("weights.bin");
    assert_eq!(
        message,
        format!(
            "cannot get weights.bin (2.5 kB) of timm/tiny: {url}: the Hub has no file `weights.bin` in `timm/tiny` at \
             {COMMIT} (404); download {url}/timm/tiny/resolve/{COMMIT}/weights.bin elsewhere and put it at {}",
            place.display()
        )
    );
    assert_eq!(hub.hub.requests().len(), 1, "a file that is not there is not asked for again");
}

#[test]
fn a_closed_repository_asks_for_a_token() {
    if behind_a_proxy() {
        return;
    }
    let file = pinned(&payload(10));
    let message = with_status(401, ("X-Error-Code", "GatedRepo")).refusal(&file);
    let remedy = "; set HF_TOKEN to a token, one that may read timm/tiny";
    assert!(message.contains("wants to know who asks (401)") && message.contains(remedy), "{message}");

    let mut machine = with_status(403, ("X-Error-Code", "GatedRepo"));
    machine.config.token = Some(Token::new("hf_secret"));
    let message = machine.refusal(&file);
    let remedy = "the Hub does not allow it (403); set HF_TOKEN to another token, one that may read timm/tiny";
    assert!(message.contains(remedy) && !message.contains("secret"), "{message}");
}

#[test]
fn a_hub_that_goes_on_failing_is_given_up() {
    if behind_a_proxy() {
        return;
    }
    let file = pinned(&payload(10));
    let message = with_status(429, ("X", "y")).refusal(&file);
    assert!(message.contains("too many requests (429), 4 times in a row; download "), "{message}");
    let message = with_status(503, ("X", "y")).refusal(&file);
    assert!(message.contains("the server failed (503 Service Unavailable), 4 times in a row"), "{message}");

    // Nobody waits for an hour.
    let start = Instant::now();
    let message = with_status(200, ("X", "y")).refusal(&HubFile { file: "b", ..file });
    assert!(message.contains("expected 10 bytes, got 0 bytes"), "{message}");
    let server = Hub::failing(
        &payload(10),
        |request| (request.method == "GET").then(|| Reply::status(429).header("Retry-After", "3600")),
        |_| None,
    );
    let message = Machine::new(&server.hub.url).refusal(&file);
    assert!(message.contains("too many requests (429), and asks to wait for 3600 s"), "{message}");
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_connection_that_is_cut_again_and_again_leaves_no_file() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let cut = Reply { cut: Some(600), ..Reply::file(&bytes) };
    let hub = Hub::failing(&bytes, |_| None, move |request| (request.method == "GET").then(|| cut.clone()));
    let machine = Machine::new(&hub.hub.url);
    let message = machine.refusal(&pinned(&bytes));
    assert!(message.contains(", 4 times in a row"), "{message}");
    assert_eq!(tree(&machine.repo()), [format!("blobs/{}.incomplete", sha256(&bytes))]);
    assert_eq!(machine.heard().last().unwrap(), "end");
}

#[test]
fn bytes_with_another_hash_get_no_name() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let mut flipped = bytes.clone();
    flipped[1234] ^= 1;
    let hub = Hub::with(&flipped);
    let machine = Machine::new(&hub.hub.url);
    let message = machine.refusal(&pinned(&bytes));
    let expected = format!("expected sha256 {}, got sha256 {}", sha256(&bytes), sha256(&flipped));
    assert!(message.contains("cannot get model.safetensors") && message.contains(&expected), "{message}");
    assert!(tree(&machine.repo()).is_empty());
}

#[test]
fn a_file_of_another_length_gets_no_name() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let file = pinned(&bytes);
    let short = Hub::with(&bytes[..2200]);
    let machine = Machine::new(&short.hub.url);
    let message = machine.refusal(&file);
    assert!(message.contains("expected 2500 bytes, got 2200 bytes, and there are no more"), "{message}");
    assert_eq!(tree(&machine.repo()), [format!("blobs/{}.incomplete", sha256(&bytes))]);

    // A longer one: its beginning has another hash.
    let long = Hub::with(&payload(2600));
    let shorter = HubFile { sha256: Some(sha256(b"another")), ..file };
    let machine = Machine::new(&long.hub.url);
    assert!(machine.refusal(&shorter).contains("what came is another file: expected sha256"));
    assert!(tree(&machine.repo()).is_empty());

    // Where the hash is not known, the Hub is asked for the length.
    let message = Machine::new(&long.hub.url).refusal(&HubFile { sha256: None, ..file });
    assert!(message.contains("expected 2500 bytes, but the Hub has a file of 2600 bytes"), "{message}");
}

#[test]
fn a_page_where_the_file_should_be_gets_no_name() {
    if behind_a_proxy() {
        return;
    }
    // What a hotel's network answers to everything.
    let portal = Server::start(|_| Reply { ignore_range: true, ..Reply::file(&[b' '; 3000]) });
    let bytes = payload(2500);
    let machine = Machine::new(&portal.url);
    let message = machine.refusal(&pinned(&bytes));
    assert!(message.contains("expected 2500 bytes, got at least 3000 bytes"), "{message}");
    assert_eq!(
        std::fs::metadata(machine.repo().join(format!("blobs/{}.incomplete", sha256(&bytes)))).unwrap().len(),
        0
    );
    let message = machine.refusal(&HubFile { revision: None, ..pinned(&bytes) });
    assert!(message.contains("cannot get model.safetensors"), "{message}");
}

#[test]
fn nobody_at_that_address_is_said_at_once() {
    if behind_a_proxy() {
        return;
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let machine = Machine::new(&format!("http://{closed}"));
    let message = machine.refusal(&pinned(&payload(10)));
    assert!(
        message.contains(&format!("http://{closed}: ")) && message.contains("elsewhere and put it at "),
        "{message}"
    );
    assert!(machine.heard().iter().all(|line| !line.contains("asking again")), "{:?}", machine.heard());

    let error = Machine::new("huggingface.co").fetch(&pinned(&payload(10))).unwrap_err();
    assert_eq!(tallow::cli::exit_code(&error), 2);
    assert!(error.to_string().contains("HF_ENDPOINT is `huggingface.co`"), "{error}");
}

#[test]
fn offline_no_socket_is_opened() {
    let server = Server::start(|_| Reply::status(500));
    let machine = Machine::new(&server.url);
    let machine = Machine { config: machine.config.clone().or_offline(true), ..machine };
    machine.refusal(&pinned(&payload(10)));
    machine.refusal(&HubFile { revision: None, bytes: None, sha256: None, ..pinned(&payload(10)) });
    assert!(server.requests().is_empty());
}

#[test]
fn a_cache_that_cannot_be_written_is_an_io_error_that_names_it() {
    let machine = Machine::new("http://127.0.0.1:9");
    write(&machine.config.cache, "a file where the folder should be");
    let error = machine.fetch(&pinned(&payload(10))).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.starts_with(&machine.config.cache)), "{error:?}");
    assert!(error.to_string().contains("set HF_HOME or HF_HUB_CACHE"), "{error}");
    assert_eq!(tallow::cli::exit_code(&error), 1);
}
