//! What is wrong with a JPEG, in words that can follow its name.

pub(super) fn cut(what: &str) -> String {
    format!("is cut short: {what}; copy or download it again, or remove it")
}

pub(super) fn damaged(what: &str) -> String {
    format!("is damaged or cut short (the JPEG has {what}); copy or download it again, or remove it")
}

pub(super) fn unsupported(what: &str) -> String {
    format!("is a JPEG of a kind that cannot be read: {what}; save it as another kind, e.g. by `convert A.jpg A.png`")
}
