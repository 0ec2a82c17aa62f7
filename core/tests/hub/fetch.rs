//! Downloads that succeed, at once or after all.

use super::server::{Hub, behind_a_proxy, ranges};
use super::{COMMIT, Machine, payload, pinned, sha256, tree, write};
use std::time::{Duration, Instant};
use tallow::models::hub::{HubConfig, HubFile, Token};
use test_support::{Reply, Request, Server};

/// A failure for the first `n` requests for bytes.
fn at_first(n: usize, reply: Reply) -> impl Fn(&Request) -> Option<Reply> {
    move |request| (request.method == "GET" && request.nth < n).then(|| reply.clone())
}

/// The names that a fetched file has in the repository's folder.
fn layout(bytes: &[u8]) -> [String; 2] {
    [format!("blobs/{}", sha256(bytes)), format!("snapshots/{COMMIT}/model.safetensors")]
}

#[test]
fn a_file_is_fetched_by_way_of_a_redirect_and_then_the_network_is_left_alone() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let hub = Hub::with(&bytes);
    let machine = Machine::new(&hub.hub.url);
    let file = pinned(&bytes);
    let path = machine.fetch(&file).unwrap();
    assert_eq!(path, file.path(&machine.config));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(tree(&machine.repo()), layout(&bytes));
    #[cfg(unix)]
    assert_eq!(std::fs::read_link(&path).unwrap().to_str().unwrap(), format!("../../blobs/{}", sha256(&bytes)));
    assert_eq!(ranges(&hub.network), [(0, 999), (1000, 1999), (2000, 2499)]);
    let heard = machine.heard();
    assert_eq!((&*heard[0], &*heard[heard.len() - 1]), ("begin model.safetensors of timm/tiny 2500", "end"));
    let done: Vec<usize> = heard[1..heard.len() - 1].iter().map(|line| line.parse().unwrap()).collect();
    assert!(done.is_sorted() && [1000, 2000, 2500].iter().all(|n| done.contains(n)), "{done:?}");

    // The server is gone.
    let offline = HubConfig { endpoint: "http://127.0.0.1:9".into(), ..machine.config.clone() };
    let listener = machine.listener();
    assert_eq!(tallow::models::hub::fetch(&file, &offline, &listener).unwrap(), path);
    assert_eq!(tallow::models::hub::fetch(&file, &offline.or_offline(true), &listener).unwrap(), path);
    assert_eq!(machine.heard(), heard);
}

#[test]
fn a_file_of_which_nothing_is_known_is_asked_for_first() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let hub = Hub::with(&bytes);
    let machine = Machine::new(&hub.hub.url);
    let file = HubFile { revision: None, bytes: None, sha256: None, ..pinned(&bytes) };
    let path = machine.fetch(&file).unwrap();
    assert_eq!(path, pinned(&bytes).path(&machine.config));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    // Python finds `main` by this file.
    let [blob, pointer] = layout(&bytes);
    assert_eq!(tree(&machine.repo()), [blob, "refs/main".into(), pointer]);
    assert_eq!(std::fs::read_to_string(machine.repo().join("refs/main")).unwrap(), COMMIT);
    let asked = hub.hub.requests().len();
    assert_eq!(machine.fetch(&file).unwrap(), path);
    assert_eq!(hub.hub.requests().len(), asked);
}

#[test]
fn the_token_goes_to_the_endpoint_and_to_nobody_else() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(500);
    for token in [Some("hf_secret"), None] {
        let hub = Hub::with(&bytes);
        let mut machine = Machine::new(&hub.hub.url);
        machine.config.token = token.map(Token::new);
        machine.fetch(&HubFile { bytes: None, ..pinned(&bytes) }).unwrap();
        let sent =
            |server: &Server| server.requests().into_iter().map(|request| request.authorization).collect::<Vec<_>>();
        let expected = token.map(|token| format!("Bearer {token}"));
        assert_eq!(sent(&hub.hub), vec![expected; 3]); // what it is, HEAD, GET
        assert_eq!(sent(&hub.network), [None, None]);
        assert!(!machine.heard().concat().contains("hf_secret"));
    }
}

#[test]
fn what_fails_once_is_asked_for_again() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let cut = |at| Reply { cut: Some(at), ..Reply::file(&payload(2500)) };
    for (reply, note) in [
        (Reply::status(500), "the server failed (500 Internal Server Error); asking again in"),
        (Reply::status(503), "the server failed (503 Service Unavailable); asking again in"),
        (Reply::status(429), "too many requests (429); asking again in"),
        (cut(600), "asking again in"),
        (cut(0), "asking again in"),
    ] {
        let hub = Hub::failing(&bytes, |_| None, at_first(2, reply.clone()));
        let machine = Machine::new(&hub.hub.url);
        let path = machine.fetch(&pinned(&bytes)).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), bytes, "{reply:?}");
        assert_eq!(machine.heard().iter().filter(|line| line.contains(note)).count(), 2, "{:?}", machine.heard());
        assert_eq!(ranges(&hub.network), [(0, 999), (0, 999), (0, 999), (1000, 1999), (2000, 2499)]);
    }
    // The Hub itself, before it sends on: the first HEAD and the first GET.
    let hub = Hub::failing(&bytes, |request| (request.nth < 1).then(|| Reply::status(502)), |_| None);
    let machine = Machine::new(&hub.hub.url);
    assert_eq!(std::fs::read(machine.fetch(&pinned(&bytes)).unwrap()).unwrap(), bytes);
}

#[test]
fn the_wait_that_the_hub_asks_for_is_kept() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(500);
    let hub = Hub::failing(&bytes, at_first(1, Reply::status(429).header("Retry-After", "1")), |_| None);
    let machine = Machine::new(&hub.hub.url);
    let start = Instant::now();
    machine.fetch(&pinned(&bytes)).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(machine.heard()[1], "timm/tiny: too many requests (429); asking again in 1 s");
}

#[test]
fn a_silent_server_is_asked_again() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(500);
    let slow = Reply { delay: Duration::from_secs(8), ..Reply::file(&bytes) };
    let hub = Hub::failing(&bytes, |_| None, at_first(1, slow));
    let mut machine = Machine::new(&hub.hub.url);
    machine.config.timeout = Duration::from_secs(2);
    let path = machine.fetch(&pinned(&bytes)).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), bytes);
    assert!(machine.heard()[1].contains("nothing came for 2 s; asking again"), "{:?}", machine.heard());
}

#[test]
fn a_cut_download_goes_on_where_it_was_cut() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let part = format!("blobs/{}.incomplete", sha256(&bytes));
    let hub = Hub::failing(
        &bytes,
        |_| None,
        |request| (request.range.is_some_and(|(from, _)| from == 1000)).then(|| Reply::status(500)),
    );
    let machine = Machine::new(&hub.hub.url);
    let message = machine.refusal(&pinned(&bytes));
    assert!(message.contains("the server failed (500 Internal Server Error), 4 times in a row"), "{message}");
    assert_eq!(tree(&machine.repo()), [&*part]);
    assert_eq!(std::fs::read(machine.repo().join(&part)).unwrap(), bytes[..1000]);

    let better = Hub::with(&bytes);
    let machine =
        Machine { config: HubConfig { endpoint: better.hub.url.clone(), ..machine.config.clone() }, ..machine };
    assert_eq!(std::fs::read(machine.fetch(&pinned(&bytes)).unwrap()).unwrap(), bytes);
    assert_eq!(ranges(&better.network), [(1000, 1999), (2000, 2499)]);
    assert_eq!(tree(&machine.repo()), layout(&bytes));
}

#[test]
fn a_part_of_another_file_is_dropped() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let hub = Hub::with(&bytes);
    for left in [vec![7; 1200], vec![7; 2500], vec![7; 9999]] {
        let machine = Machine::new(&hub.hub.url);
        write(machine.repo().join(format!("blobs/{}.incomplete", sha256(&bytes))), left);
        assert_eq!(std::fs::read(machine.fetch(&pinned(&bytes)).unwrap()).unwrap(), bytes);
        assert_eq!(tree(&machine.repo()), layout(&bytes));
    }
}

#[test]
fn a_damaged_file_in_the_cache_is_replaced() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let hub = Hub::with(&bytes);
    let machine = Machine::new(&hub.hub.url);
    let path = machine.fetch(&pinned(&bytes)).unwrap();
    std::fs::write(&path, "<html>please log in</html>").unwrap();
    assert_eq!(std::fs::read(machine.fetch(&pinned(&bytes)).unwrap()).unwrap(), bytes);
    assert_eq!(tree(&machine.repo()), layout(&bytes));
}

#[test]
fn a_server_that_knows_no_pieces_sends_all() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let all = Reply { ignore_range: true, ..Reply::file(&bytes) };
    let hub = Hub::failing(&bytes, |_| None, move |_| Some(all.clone()));
    let machine = Machine::new(&hub.hub.url);
    assert_eq!(std::fs::read(machine.fetch(&pinned(&bytes)).unwrap()).unwrap(), bytes);
    assert_eq!(ranges(&hub.network).len(), 1);
}

#[test]
fn two_that_want_the_same_file_take_turns() {
    if behind_a_proxy() {
        return;
    }
    let bytes = payload(2500);
    let hub = Hub::with(&bytes);
    let machine = Machine::new(&hub.hub.url);
    let paths: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| machine.fetch(&pinned(&bytes)).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| std::fs::read(path).unwrap() == bytes));
    assert_eq!(ranges(&hub.network), [(0, 999), (1000, 1999), (2000, 2499)]);
}
