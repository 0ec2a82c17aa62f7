//! Photos from a list of addresses, of which some are good.
#![cfg(feature = "fetch")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::time::{Duration, Instant};
use tallow_datasets::DownloadImages;
use test_support::{Reply, Server};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a photo";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a drawing";

fn server() -> Server {
    Server::start(|request| match request.path.as_str() {
        "/photo.jpg" => Reply::file(JPEG),
        // What it is counts, not what it is called.
        "/drawing.jpg" => Reply::file(PNG),
        "/page.jpg" => Reply::file(b"<html>no photo"),
        // A sound, which begins as WebP does.
        "/sound.webp" => Reply::file(b"RIFF\x24\0\0\0WAVEfmt "),
        "/large.jpg" => Reply::file(&[JPEG, &[0; 5000]].concat()),
        "/cut.jpg" => Reply { cut: Some(3), ..Reply::file(JPEG) },
        "/slow.jpg" => Reply { cut: Some(2), hold: Duration::from_secs(20), ..Reply::file(JPEG) },
        _ => Reply::status(404),
    })
}

#[test]
fn photos_come_by_number_and_what_is_none_is_told() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let names = [
        "photo.jpg",
        "page.jpg",
        "drawing.jpg",
        "large.jpg",
        "gone.jpg",
        "cut.jpg",
        "slow.jpg",
        "photo.jpg",
        "sound.webp",
    ];
    let mut urls: Vec<String> = names.iter().map(|name| format!("{}/{name}", server.url)).collect();
    urls.push("http://example.org/photo.jpg".into());
    urls.push("no address".into());
    let settings =
        DownloadImages { max_bytes: 1000, timeout: Duration::from_secs(2), workers: 4, ..DownloadImages::default() };
    let start = Instant::now();
    let downloaded = settings.run(&urls, folder.path()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(15));

    let names: Vec<_> = downloaded.files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["00000000.jpg", "00000002.png", "00000007.jpg"]);
    assert_eq!(fs::read(&downloaded.files[1]).unwrap(), PNG);
    let failed: Vec<&str> = downloaded.failed.iter().map(|(url, _)| url.rsplit('/').next().unwrap()).collect();
    assert_eq!(
        failed,
        ["page.jpg", "large.jpg", "gone.jpg", "cut.jpg", "slow.jpg", "sound.webp", "photo.jpg", "no address"]
    );
    for ((url, why), words) in downloaded.failed.iter().zip([
        "not a picture",
        "larger than 1000",
        "404",
        "",
        "",
        "not a picture",
        "https",
        "https",
    ]) {
        assert!(why.contains(words), "{url}: {why}");
    }
    // Nothing half-way is left.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn what_is_there_is_not_fetched_again_and_the_list_may_be_cut() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let urls = vec![format!("{}/photo.jpg", server.url); 5];
    let settings = DownloadImages { max_images: 3, ..DownloadImages::default() };
    let first = settings.run(&urls, folder.path()).unwrap();
    assert_eq!((first.files.len(), server.requests().len()), (3, 3));
    assert_eq!(settings.run(&urls, folder.path()).unwrap(), first);
    assert_eq!(server.requests().len(), 3);
    assert_eq!(settings.run(&[""; 0], folder.path()).unwrap(), Default::default());
}
