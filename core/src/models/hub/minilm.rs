//! The files of all-MiniLM-L6-v2 on the Hub.

use super::HubFile;

/// The repository of all-MiniLM-L6-v2, an encoder of English sentences (sentence-transformers, Apache-2.0).
pub const MINILM: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// Its files, as `minilm` in the list of datasets has them: weights, sizes, tokenizer.
pub const MINILM_FILES: [HubFile<'static>; 3] = [
    file("model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    file("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    file("tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
];

const fn file(file: &'static str, bytes: u64, sha256: &'static str) -> HubFile<'static> {
    HubFile { repo: MINILM, file, revision: None, bytes: Some(bytes), sha256: Some(sha256) }
}
