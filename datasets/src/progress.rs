//! What a fetcher reports while it works.

use std::time::Duration;

use tallow_io::download;

/// A report from a [`Fetcher`](crate::Fetcher), for whoever draws it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Another process is fetching the same dataset, and is waited for.
    Waiting,
    /// A source was asked, and answers from byte `done` on.
    Connected {
        /// The file.
        file: &'a str,
        /// The source.
        url: &'a str,
        /// Bytes that are here already.
        done: u64,
        /// Bytes in all.
        bytes: u64,
    },
    /// More of the file is here.
    Received {
        /// The file.
        file: &'a str,
        /// Bytes that are here.
        done: u64,
        /// Bytes in all.
        bytes: u64,
    },
    /// A source is asked again, after `wait`.
    Retrying {
        /// The source.
        url: &'a str,
        /// What went wrong.
        what: &'a str,
        /// The pause before the next attempt.
        wait: Duration,
    },
    /// A source is given up; the next one, if there is one, is asked.
    SourceFailed {
        /// The source.
        url: &'a str,
        /// What went wrong.
        what: &'a str,
    },
    /// The archive is whole and is being unpacked.
    Unpacking {
        /// The archive.
        file: &'a str,
        /// Files unpacked so far.
        files: u64,
    },
}

impl<'a> Progress<'a> {
    /// The report of the download of `file` from `url`.
    pub(crate) fn of(file: &'a str, url: &'a str, progress: download::Progress<'a>) -> Option<Progress<'a>> {
        match progress {
            download::Progress::Waiting => Some(Progress::Waiting),
            download::Progress::Connected { done, bytes } => Some(Progress::Connected { file, url, done, bytes }),
            download::Progress::Received { done, bytes } => Some(Progress::Received { file, done, bytes }),
            download::Progress::Retrying { what, wait } => Some(Progress::Retrying { url, what, wait }),
            _ => None,
        }
    }
}
