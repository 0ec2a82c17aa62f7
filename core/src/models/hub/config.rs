//! Where weights are looked for, and how the Hub is spoken to: what the environment says.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tallow_datasets::DataFolder;
#[cfg(feature = "hub")]
use tallow_io::download::Patience;

/// The Hub's default address.
const ENDPOINT: &str = "https://huggingface.co";

/// Where to look for weights, and how patiently to fetch them.
#[derive(Debug, Clone, PartialEq)]
pub struct HubConfig {
    /// The Hub's address, without a slash at its end.
    pub endpoint: String,
    /// The Hub's cache, which Python's `huggingface_hub` shares.
    pub cache: PathBuf,
    /// Access token; sent only to `endpoint`.
    pub token: Option<Token>,
    /// Never open a socket: what is not on this machine is an error.
    pub offline: bool,
    /// The folder in which a user puts weights by hand: `resnet34.safetensors`, `resnet34.pth`, or the `.pth` under
    /// torchvision's name.
    pub weights: PathBuf,
    /// The folder in which PyTorch keeps what torchvision downloaded. It is only read.
    pub torch: PathBuf,
    /// How often in a row a download may fail.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles from one attempt to the next.
    pub backoff: Duration,
    /// The longest wait that the Hub may ask for.
    pub longest_wait: Duration,
    /// How long to wait for a sign of life: a connection, an answer, the next bytes.
    pub timeout: Duration,
    /// A file is asked for in pieces of this many bytes. What arrived of a piece is lost when its connection is cut,
    /// and no more than that.
    pub piece: u64,
}

impl HubConfig {
    /// What the environment says, with the meaning that Python's `huggingface_hub` gives to it:
    ///
    /// | variable | says | without it |
    /// |---|---|---|
    /// | `HF_ENDPOINT` | the Hub's address, or a mirror's | `https://huggingface.co` |
    /// | `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE` | the cache | `$HF_HOME/hub` |
    /// | `HF_HOME` | the folder of all that is Hugging Face's | `$XDG_CACHE_HOME/huggingface`, `~/.cache/huggingface` |
    /// | `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN` | who asks | what is in the token file |
    /// | `HF_TOKEN_PATH` | the token file | `$HF_HOME/token` |
    /// | `HF_HUB_DISABLE_IMPLICIT_TOKEN` | `1`: send no token | |
    /// | `HF_HUB_OFFLINE` | `1`, `true`, `yes` or `on`: open no socket | |
    /// | `TORCH_HOME` | PyTorch's folder, whose `hub/checkpoints` counts | `$XDG_CACHE_HOME/torch`, `~/.cache/torch` |
    ///
    /// An empty variable is one that is not set. Files put there by hand are in `weights` in the data folder. Proxies
    /// are those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    pub fn from_env(data: &DataFolder) -> HubConfig {
        HubConfig::from_lookup(data, |name| std::env::var_os(name))
    }

    /// [`HubConfig::from_env`] with another environment.
    pub fn from_lookup(data: &DataFolder, variable: impl Fn(&str) -> Option<OsString>) -> HubConfig {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().trim().to_string());
        let on = |name: &str| {
            text(name).is_some_and(|value| ["1", "true", "yes", "on"].contains(&value.to_lowercase().as_str()))
        };
        let user = set("HOME").or_else(|| set("USERPROFILE")).map(PathBuf::from).unwrap_or_default();
        let folder = |name: &str| {
            let path = PathBuf::from(set(name)?);
            Some(path.strip_prefix("~").map(|rest| user.join(rest)).unwrap_or(path))
        };
        let caches = folder("XDG_CACHE_HOME").unwrap_or_else(|| user.join(".cache"));
        let home = folder("HF_HOME").unwrap_or_else(|| caches.join("huggingface"));
        let cache = folder("HF_HUB_CACHE").or_else(|| folder("HUGGINGFACE_HUB_CACHE"));
        let torch = folder("TORCH_HOME").unwrap_or_else(|| caches.join("torch"));
        let token = || {
            let file = || std::fs::read_to_string(folder("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"))).ok();
            let token = text("HF_TOKEN").or_else(|| text("HUGGING_FACE_HUB_TOKEN")).or_else(file)?;
            Some(Token::new(token.trim())).filter(|token| !token.0.is_empty())
        };
        HubConfig {
            endpoint: text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.into()).trim_end_matches('/').into(),
            token: if on("HF_HUB_DISABLE_IMPLICIT_TOKEN") { None } else { token() },
            offline: on("HF_HUB_OFFLINE"),
            weights: data.root().join("weights"),
            ..HubConfig::new(cache.unwrap_or_else(|| home.join("hub")), torch.join("hub").join("checkpoints"))
        }
    }

    fn new(cache: PathBuf, torch: PathBuf) -> HubConfig {
        HubConfig {
            endpoint: ENDPOINT.into(),
            cache,
            token: None,
            offline: false,
            weights: PathBuf::new(),
            torch,
            attempts: 4,
            backoff: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
            piece: 16 << 20,
        }
    }

    /// The same, but offline if `offline` is true, whatever the environment says; for `--offline` of a program.
    #[must_use]
    pub fn or_offline(self, offline: bool) -> HubConfig {
        HubConfig { offline: self.offline || offline, ..self }
    }

    /// How often and how long the Hub is asked.
    #[cfg(feature = "hub")]
    pub(super) fn patience(&self) -> Patience {
        let HubConfig { attempts, backoff, longest_wait, .. } = *self;
        Patience { attempts, backoff, longest_wait }
    }

    /// Where a user may put weights by hand, for example `resnet34.safetensors`.
    pub(super) fn by_hand(&self, name: impl AsRef<Path>) -> PathBuf {
        self.weights.join(name)
    }
}

/// A password for the Hub. It is not shown when it is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// As `HF_TOKEN` holds it: `hf_...`.
    pub fn new(token: impl Into<String>) -> Token {
        Token(token.into())
    }

    /// The token itself.
    #[cfg(feature = "hub")]
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> HubConfig {
        let data = DataFolder::resolve(Some(Path::new("data")));
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        HubConfig::from_lookup(&data, find)
    }

    fn token(variables: &[(&str, &str)]) -> Option<String> {
        config(variables).token.map(|token| token.0)
    }

    #[test]
    fn the_cache_is_where_python_looks_for_it() {
        let cache = |variables: &[(&str, &str)]| config(variables).cache;
        let all = [
            ("HF_HUB_CACHE", "/a"),
            ("HUGGINGFACE_HUB_CACHE", "/b"),
            ("HF_HOME", "/c"),
            ("XDG_CACHE_HOME", "/d"),
            ("HOME", "/e"),
        ];
        // What huggingface_hub 2.4.0 gives as constants.HF_HUB_CACHE when one variable after the other is taken away.
        let expected = ["/a", "/b", "/c/hub", "/d/huggingface/hub", "/e/.cache/huggingface/hub"];
        for (without, expected) in expected.iter().enumerate() {
            assert_eq!(cache(&all[without..]), Path::new(expected));
        }
        assert_eq!(cache(&[("HF_HUB_CACHE", ""), ("HF_HOME", "~/hf"), ("HOME", "/e")]), Path::new("/e/hf/hub"));
        assert_eq!(cache(&[("USERPROFILE", "/u")]), Path::new("/u/.cache/huggingface/hub"));
    }

    #[test]
    fn the_other_places_and_the_address() {
        let plain = config(&[("HOME", "/e")]);
        assert_eq!((&*plain.endpoint, plain.offline, plain.token), ("https://huggingface.co", false, None));
        assert_eq!(plain.weights, Path::new("data/weights"));
        assert_eq!(plain.torch, Path::new("/e/.cache/torch/hub/checkpoints"));
        let set = config(&[("HF_ENDPOINT", "https://mirror.example/"), ("TORCH_HOME", "/t")]);
        assert_eq!((&*set.endpoint, set.torch), ("https://mirror.example", "/t/hub/checkpoints".into()));
    }

    #[test]
    fn offline_is_switched_on_by_four_words_and_by_the_program() {
        for word in ["1", "true", "YES", "On"] {
            assert!(config(&[("HF_HUB_OFFLINE", word)]).offline, "{word}");
            assert!(config(&[("HF_HUB_OFFLINE", word)]).or_offline(false).offline);
        }
        for word in ["0", "false", "no", ""] {
            assert!(!config(&[("HF_HUB_OFFLINE", word)]).offline, "{word}");
        }
        assert!(config(&[]).or_offline(true).offline);
    }

    #[test]
    fn the_token_is_that_of_the_variable_then_that_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, " hf_other ").unwrap();
        let other = other.to_str().unwrap();
        assert_eq!(token(&[("HF_HOME", home), ("HF_TOKEN", "hf_a\n")]).unwrap(), "hf_a");
        assert_eq!(token(&[("HF_HOME", home), ("HF_TOKEN", "")]).unwrap(), "hf_file");
        assert_eq!(token(&[("HF_HOME", home), ("HF_TOKEN_PATH", other)]).unwrap(), "hf_other");
        assert_eq!(token(&[("HF_HOME", home), ("HF_TOKEN", "a"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), None);
        assert_eq!(token(&[("HF_HOME", "/nowhere")]), None);
        assert!(!format!("{:?}", config(&[("HF_TOKEN", "hf_secret")])).contains("secret"));
    }
}
