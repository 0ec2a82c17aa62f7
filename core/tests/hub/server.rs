//! A server that speaks as the Hugging Face Hub does: `resolve` sends on to a second server, as the Hub does to its
//! content network; the rest is JSON. What fails, and when, a test decides.

use test_support::{Reply, Request, Server};

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
            (format!("{}/xet-bridge/e0a1?Policy=x", network.url), crate::sha256(bytes), bytes.len());
        let hub = Server::start(move |request| {
            at_hub(request).unwrap_or_else(|| match &*request.path {
                path if path.starts_with("/timm/tiny/resolve/") && path.ends_with("/model.safetensors") => {
                    Reply::status(302)
                        .header("Location", &there)
                        .header("ETag", "\"2f1a\"")
                        .header("X-Linked-ETag", &format!("\"{sha256}\""))
                        .header("X-Linked-Size", &size.to_string())
                        .header("X-Repo-Commit", crate::COMMIT)
                        .header("X-Xet-Hash", sha256)
                }
                "/api/models/timm/tiny/revision/main" => {
                    Reply::json(&format!(r#"{{"_id":"1","id":"timm/tiny","sha":"{}"}}"#, crate::COMMIT))
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

/// The ranges of the GET requests, in order, both ends included.
pub(crate) fn ranges(server: &Server) -> Vec<(usize, usize)> {
    let gets = server.requests().into_iter().filter(|request| request.method == "GET");
    gets.filter_map(|request| request.range).map(|(from, to)| (from, to.unwrap())).collect()
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
